"""The tables of the forecast database. Only the stores may import this."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Double
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.chassis.columns import TenantKey

Days = Annotated[list[float], mapped_column(ARRAY(REAL))]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        float: Double,
    }


class SaleLineRow(Base):
    """What sold. Rows are inserted and read; nothing updates or deletes one."""

    __tablename__ = "sale_line"

    tenant_id: Mapped[TenantKey]
    document: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    occurrence: Mapped[int] = mapped_column(primary_key=True)  # Of the SKU in the document, from 1.
    store: Mapped[str]
    product: Mapped[str]
    sale_date: Mapped[date]
    units: Mapped[int]
    unit_price_micros: Mapped[int]


class SalesImportRow(Base):
    """Imports that were accepted, so that a retry gets the first answer."""

    __tablename__ = "sales_import"

    tenant_id: Mapped[TenantKey]
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    lines: Mapped[int]
    new_lines: Mapped[int]
    create_time: Mapped[datetime]


class RunLeaseRow(Base):
    """Who makes a run just now. At most one row a tenant."""

    __tablename__ = "run_lease"

    tenant_id: Mapped[TenantKey]
    holder: Mapped[UUID]
    expire_time: Mapped[datetime]


class ForecastRunRow(Base):
    """Runs that succeeded. The one with the highest number is the current one."""

    __tablename__ = "forecast_run"

    tenant_id: Mapped[TenantKey]
    number: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    request_id: Mapped[UUID]
    horizon_days: Mapped[int]
    cutoff_date: Mapped[date]
    series: Mapped[int]
    model: Mapped[str]
    coverage: Mapped[float]
    wape: Mapped[float]
    create_time: Mapped[datetime]


class ForecastRow(Base):
    """Forecasts of the last few runs, one row a series."""

    __tablename__ = "forecast"

    tenant_id: Mapped[TenantKey]
    run_number: Mapped[int] = mapped_column(primary_key=True)
    store: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str]
    horizon_mean_units: Mapped[float]
    mean: Mapped[Days]
    p10: Mapped[Days]
    p50: Mapped[Days]
    p90: Mapped[Days]


class TrendRow(Base):
    """Trending products of the last few runs."""

    __tablename__ = "trend"

    tenant_id: Mapped[TenantKey]
    run_number: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    product: Mapped[str]
    growth_ratio: Mapped[float]
    growth_ratio_p10: Mapped[float]
    recent_units: Mapped[int]
    previous_units: Mapped[int]
