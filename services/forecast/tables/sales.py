"""The tables of what sold. Only the stores may import this."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from services.chassis.columns import TenantKey
from services.forecast.tables.base import Base


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
