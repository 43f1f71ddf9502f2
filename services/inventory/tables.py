"""The tables of the inventory database. Only the stores may import this."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Computed, DateTime, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.chassis.columns import TenantKey

Key = Annotated[str, mapped_column(primary_key=True)]


class Base(DeclarativeBase):
    # Texts sort by code point, the same in every region and after every upgrade of its libraries.
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        str: String(collation="C"),
    }


class StoreRow(Base):
    """A place with stock. Rows are never changed or deleted."""

    __tablename__ = "store"

    tenant_id: Mapped[TenantKey]
    store: Mapped[Key]
    display_name: Mapped[str]
    time_zone: Mapped[str]
    create_time: Mapped[datetime]
    request_id: Mapped[UUID | None]  # Null if an import made it.
    fingerprint: Mapped[bytes | None]


class StyleRow(Base):
    __tablename__ = "style"

    tenant_id: Mapped[TenantKey]
    style: Mapped[Key]
    display_name: Mapped[str]
    category: Mapped[str]
    create_time: Mapped[datetime]
    request_id: Mapped[UUID | None]  # Null if an import made it.
    fingerprint: Mapped[bytes | None]


class ChoiceRow(Base):
    """A style in a colour."""

    __tablename__ = "choice"

    tenant_id: Mapped[TenantKey]
    style: Mapped[Key]
    colour: Mapped[Key]
    position: Mapped[int]  # Its place in the style, from 0.


class SkuRow(Base):
    """A choice in a size."""

    __tablename__ = "sku"

    tenant_id: Mapped[TenantKey]
    sku: Mapped[Key]
    style: Mapped[str]
    colour: Mapped[str]
    size: Mapped[str]
    position: Mapped[int]  # Its place in the choice, from 0.


class LevelRow(Base):
    """Units on hand after the last movement, kept so that they can be locked and listed."""

    __tablename__ = "level"

    tenant_id: Mapped[TenantKey]
    store: Mapped[Key]
    sku: Mapped[Key]
    on_hand_units: Mapped[int] = mapped_column(server_default="0")
    last_sequence: Mapped[int] = mapped_column(server_default="0")
    update_time: Mapped[datetime]


class MovementRow(Base):
    """The ledger. Rows are inserted and read; the service may neither update nor delete one."""

    __tablename__ = "movement"

    tenant_id: Mapped[TenantKey]
    # The request_id of the call that recorded it, or made up if an import did.
    movement_id: Mapped[UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    store: Mapped[str]
    sku: Mapped[str]
    sequence: Mapped[int]  # 1, 2, 3 ... within the store and SKU.
    previous_sequence: Mapped[int | None] = mapped_column(Computed("nullif(sequence - 1, 0)"))
    before_units: Mapped[int]  # On hand before it.
    delta_units: Mapped[int]
    on_hand_units: Mapped[int]  # On hand after it.
    reason: Mapped[str]
    occur_time: Mapped[datetime]
    occur_nanos: Mapped[int]  # 0-999, on top of the microseconds of occur_time.
    record_time: Mapped[datetime]
    import_id: Mapped[UUID | None]


class StockImportRow(Base):
    """An import that was applied, and its answer. Rows are inserted and read."""

    __tablename__ = "stock_import"

    tenant_id: Mapped[TenantKey]
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    lines: Mapped[int]
    movements: Mapped[int]
    new_skus: Mapped[int]
    new_stores: Mapped[int]
    count_time: Mapped[datetime]
    record_time: Mapped[datetime]
