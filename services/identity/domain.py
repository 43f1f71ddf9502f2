"""The words and rules of identity. Pure: no clock, no database, no protobuf."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from services.chassis.errors import AlreadyExists, NotFound, Unauthenticated
from services.chassis.tenancy import TenantId, UserId

LoginHash = NewType("LoginHash", bytes)
"""What is kept of a login: 32 bytes that say nothing without the key."""


class Role(StrEnum):
    """What a user is in a tenant. The values are stored; never rename one."""

    PLANNER = "planner"
    STORE_MANAGER = "store-manager"
    VIEWER = "viewer"
    PLATFORM_ADMIN = "platform-admin"  # Operators of a region, made by bootstrap alone.


@dataclass(frozen=True, slots=True)
class TenantDraft:
    """A tenant as an operator asks for it."""

    request_id: UUID
    name: str  # Such as `atelier-nord`.
    display_name: str

    @property
    def fingerprint(self) -> bytes:
        """Tells a retry from another request with the same id."""
        return _fingerprint(self.name, self.display_name)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A retailer. The database that holds it is its home region's."""

    tenant_id: TenantId
    name: str
    display_name: str
    home_epoch: int  # Grows when the tenant is moved.
    create_time: datetime


@dataclass(frozen=True, slots=True)
class UserDraft:
    """A user as an operator asks for it."""

    request_id: UUID
    tenant: str  # Name of the tenant.
    login: LoginHash
    role: Role

    @property
    def fingerprint(self) -> bytes:
        return _fingerprint(self.tenant, self.login.hex(), self.role)


@dataclass(frozen=True, slots=True)
class Resident:
    """A known user, with all that the enriched token says about them."""

    tenant_id: TenantId
    user_id: UserId
    home_region: str
    home_epoch: int
    permissions: frozenset[str]


class LoginUnknown(Unauthenticated):
    reason = "LOGIN_UNKNOWN"


class TenantExists(AlreadyExists):
    reason = "TENANT_EXISTS"


class TenantNotFound(NotFound):
    reason = "TENANT_NOT_FOUND"


class LoginTaken(AlreadyExists):
    reason = "LOGIN_TAKEN"


def login_hash(pepper: str, issuer: str, email: str) -> LoginHash:
    """HMAC-SHA256 of who vouches for a login and which one it is.

    A plain hash of an e-mail address is an e-mail address: lists of them are for sale. The issuer
    is part of it because two providers may vouch for different people under one address.
    """
    text = f"{issuer}\n{email.strip().lower()}"
    return LoginHash(hmac.digest(pepper.encode(), text.encode(), "sha256"))


def _fingerprint(*parts: str) -> bytes:
    return hashlib.sha256(json.dumps(parts).encode()).digest()
