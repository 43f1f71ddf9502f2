"""The tables of overrides in the forecast database. Only the stores may import this."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from services.chassis.columns import TenantKey
from services.forecast.tables.base import Base, Days


class OverrideRow(Base):
    """What a planner said. Only that it was taken back is added later."""

    __tablename__ = "forecast_override"

    tenant_id: Mapped[TenantKey]
    override_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    store: Mapped[str | None]
    sku: Mapped[str | None]
    product: Mapped[str | None]
    category: Mapped[str | None]
    start_date: Mapped[date]
    end_date: Mapped[date]
    total_units: Mapped[float | None]
    factor: Mapped[float | None]
    reason: Mapped[str]
    author: Mapped[UUID]
    create_time: Mapped[datetime]
    delete_time: Mapped[datetime | None]
    system_units: Mapped[float]
    first_date: Mapped[date]  # Of the first period that it is about.
    period_days: Mapped[int] = mapped_column(Integer)


class OverrideSeriesRow(Base):
    """What the system had said of a series then, and what the override says, by period."""

    __tablename__ = "override_series"

    tenant_id: Mapped[TenantKey]
    store: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    override_id: Mapped[UUID] = mapped_column(primary_key=True)
    system: Mapped[Days]
    units: Mapped[Days]
