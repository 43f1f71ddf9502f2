"""The tables of the residency evidence. Only its store may import this."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.chassis.columns import TenantKey

Key = Annotated[str, mapped_column(primary_key=True)]
Hour = Annotated[datetime, mapped_column(primary_key=True)]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        str: String(collation="C"),
    }


class TotalRow(Base):
    """Calls of all tenants that are alike. Counts only grow: a trigger sees to it."""

    __tablename__ = "residency_total"

    hour: Mapped[Hour]
    token_jurisdiction: Mapped[Key]
    served_region: Mapped[Key]
    reporter: Mapped[Key]
    calls: Mapped[int]
    violations: Mapped[int]


class TenantRow(Base):
    """Calls of one tenant that are alike. Counts only grow: a trigger sees to it."""

    __tablename__ = "residency_tenant"

    tenant_id: Mapped[TenantKey]
    hour: Mapped[Hour]
    served_region: Mapped[Key]
    reporter: Mapped[Key]
    calls: Mapped[int]
    violations: Mapped[int]


class ViolationRow(Base):
    """One call that went where it must not. Rows are inserted and read."""

    __tablename__ = "residency_violation"

    violation_id: Mapped[UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    time: Mapped[datetime]
    token_jurisdiction: Mapped[str]
    served_region: Mapped[str]
    node: Mapped[str]
    method: Mapped[str]
    trace_id: Mapped[str]
