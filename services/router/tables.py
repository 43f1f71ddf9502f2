"""The tables of the router database. Only the stores may import this."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        int: BigInteger,
        str: String(collation="C"),
    }


class PolicyChangeRow(Base):
    """What an operator has set. Rows are inserted and read; the service cannot change one."""

    __tablename__ = "policy_change"

    version: Mapped[int] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    create_time: Mapped[datetime]
    operator: Mapped[str]
    action: Mapped[str]
    reason: Mapped[str]
    settings: Mapped[dict[str, Any]]
