"""The tables of the identity database. Only the stores may import this."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.chassis.columns import TenantKey


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), int: BigInteger}


class TenantRow(Base):
    """Seen by its own people, and read by operators."""

    __tablename__ = "tenant"

    tenant_id: Mapped[TenantKey]
    name: Mapped[str]
    display_name: Mapped[str]
    home_epoch: Mapped[int] = mapped_column(server_default="1")
    create_time: Mapped[datetime]
    request_id: Mapped[UUID]
    fingerprint: Mapped[bytes]


class UserRow(Base):
    """A person, of whom nothing is kept but that there is one."""

    __tablename__ = "user_account"

    tenant_id: Mapped[TenantKey]
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    create_time: Mapped[datetime]
    request_id: Mapped[UUID]
    fingerprint: Mapped[bytes]


class MembershipRow(Base):
    __tablename__ = "membership"

    tenant_id: Mapped[TenantKey]
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class RolePermissionRow(Base):
    """The same for every tenant; written by migrations alone."""

    __tablename__ = "role_permission"

    role: Mapped[str] = mapped_column(primary_key=True)
    permission: Mapped[str] = mapped_column(primary_key=True)


class LoginRow(Base):
    """Keyed hash of a login to its user. Without row-level security; inserted and read only."""

    __tablename__ = "login"

    login_hash: Mapped[bytes] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    user_id: Mapped[UUID]


class SigningKeyRow(Base):
    """The region's own. Without row-level security; inserted and read only."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    x: Mapped[str]
    y: Mapped[str]
    sealed: Mapped[bytes]
    create_time: Mapped[datetime]
