"""Enriched tokens for tests, signed by a key that the test holds."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from services.chassis.tenancy import Caller, TenantId, UserId
from services.chassis.topology import Jurisdiction

ALL_PERMISSIONS = [
    "forecast:read",
    "forecast:write",
    "inventory:read",
    "inventory:write",
    "platform:admin",
]


class Signer:
    """Signs tokens, and implements `auth.PublicKeys` for its own key alone."""

    def __init__(self, kid: str = "test-key") -> None:
        self.kid = kid
        self.private_key = ec.generate_private_key(ec.SECP256R1())

    async def find(self, kid: str) -> Any | None:
        return self.private_key.public_key() if kid == self.kid else None

    def sign(self, claims: dict[str, Any], **header: str) -> str:
        headers = {"kid": self.kid, "typ": "at+jwt", **header}
        return jwt.encode(claims, self.private_key, algorithm="ES256", headers=headers)


def claims(
    jurisdiction: Jurisdiction,
    home_region: str,
    tenant_id: UUID | None = None,
    permissions: list[str] = ALL_PERMISSIONS,
) -> dict[str, Any]:
    """The claims of a good token."""
    now = datetime.now(UTC)
    return {
        "iss": jurisdiction.issuer,
        "aud": [jurisdiction.audience],
        "sub": str(uuid4()),
        "tenant": str(tenant_id or uuid4()),
        "jurisdiction": jurisdiction.name,
        "home_region": home_region,
        "home_epoch": 1,
        "scope": " ".join(permissions),
        "iat": now,
        "exp": now + timedelta(minutes=15),
        "jti": str(uuid4()),
    }


def caller(
    tenant_id: UUID | None = None, home_region: str = "eu-central-1", jurisdiction: str = "EU"
) -> Caller:
    """A caller for tests below the wire."""
    return Caller(
        tenant_id=TenantId(tenant_id or uuid4()),
        user_id=UserId(uuid4()),
        permissions=frozenset(ALL_PERMISSIONS),
        jurisdiction=jurisdiction,
        home_region=home_region,
        home_epoch=1,
        expire_time=datetime.now(UTC) + timedelta(minutes=15),
    )
