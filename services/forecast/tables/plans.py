"""The tables of plans and facts in the forecast database. Only the stores may import this."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from services.chassis.columns import TenantKey
from services.forecast.tables.base import Base


class PromotionRow(Base):
    """Versions of promotions. Rows are inserted and read; nothing updates or deletes one."""

    __tablename__ = "promotion"

    tenant_id: Mapped[TenantKey]
    promotion: Mapped[str] = mapped_column(primary_key=True)
    store: Mapped[str] = mapped_column(primary_key=True)  # `-` for all of them.
    scope: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    known_time: Mapped[datetime] = mapped_column(primary_key=True)
    start_date: Mapped[date]
    end_date: Mapped[date]
    kind: Mapped[str]
    discount_share: Mapped[float]
    price_micros: Mapped[int | None]
    cancelled: Mapped[bool]


class CalendarEventRow(Base):
    """Versions of events and closed days. Rows are inserted and read."""

    __tablename__ = "calendar_event"

    tenant_id: Mapped[TenantKey]
    event: Mapped[str] = mapped_column(primary_key=True)
    store: Mapped[str] = mapped_column(primary_key=True)  # `-` for all of them.
    start_date: Mapped[date] = mapped_column(primary_key=True)
    known_time: Mapped[datetime] = mapped_column(primary_key=True)
    end_date: Mapped[date]
    closed: Mapped[bool]
    cancelled: Mapped[bool]


class AttributeRow(Base):
    """What SKUs and stores are. The value alone may change."""

    __tablename__ = "attribute"

    tenant_id: Mapped[TenantKey]
    subject: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    attribute: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class StockDayRow(Base):
    """Levels at the end of days. The level alone may change."""

    __tablename__ = "stock_day"

    tenant_id: Mapped[TenantKey]
    store: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    stock_date: Mapped[date] = mapped_column(primary_key=True)
    on_hand_units: Mapped[int]


class DataImportRow(Base):
    """Imports that were accepted, so that a retry gets the first answer."""

    __tablename__ = "data_import"

    tenant_id: Mapped[TenantKey]
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    fingerprint: Mapped[bytes]
    lines: Mapped[int] = mapped_column(Integer)
    new_lines: Mapped[int] = mapped_column(Integer)
    changed_lines: Mapped[int] = mapped_column(Integer)
    create_time: Mapped[datetime]
