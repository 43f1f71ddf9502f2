"""Enriched tokens in, verified callers out.

The sidecar has checked the token already. The service checks again, with the keys of its own
jurisdiction alone: two locks, made apart.
"""

from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import jwt

from services.chassis.contract import PUBLIC, SIGNED_IN
from services.chassis.errors import PermissionDenied, Unauthenticated
from services.chassis.tenancy import Caller, TenantId, UserId
from services.chassis.topology import Jurisdiction

ALGORITHM = "ES256"
TYPE = "at+jwt"
LEEWAY_SECONDS = 5
CLAIMS = [
    "iss",
    "aud",
    "sub",
    "exp",
    "iat",
    "jti",
    "tenant",
    "jurisdiction",
    "home_region",
    "home_epoch",
    "scope",
]


class TokenInvalid(Unauthenticated):
    """Says which check failed, never what the token held."""

    reason = "TOKEN_INVALID"


class PermissionMissing(PermissionDenied):
    reason = "PERMISSION_MISSING"


class PublicKeys(Protocol):
    async def find(self, kid: str) -> Any | None:
        """Returns the public key of a key id of this jurisdiction, or None."""


class TokenVerifier:
    """Verifies the enriched tokens of one jurisdiction."""

    def __init__(self, jurisdiction: Jurisdiction, keys: PublicKeys) -> None:
        self._jurisdiction = jurisdiction
        self._keys = keys

    async def verify(self, token: str) -> Caller:
        """Returns the caller that ``token`` vouches for.

        Raises:
            TokenInvalid: a check failed.
        """
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise TokenInvalid("The token is not a JWT.") from None
        if header.get("alg") != ALGORITHM or header.get("typ") != TYPE:
            raise TokenInvalid(f"The token must be {TYPE}, signed with {ALGORITHM}.")
        key = await self._keys.find(str(header.get("kid")))
        if key is None:
            raise TokenInvalid("The token is signed by a key that this jurisdiction does not know.")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._jurisdiction.issuer,
                audience=self._jurisdiction.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": CLAIMS},
            )
            return _caller_from(claims)
        except jwt.ExpiredSignatureError:
            raise TokenInvalid("The token has expired. Sign in again.") from None
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise TokenInvalid("The token's signature or claims do not hold.") from None


def bearer(authorization: str | None) -> str:
    """Returns the token of an `authorization` header. Raises TokenInvalid without one."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("Send the enriched token as `authorization: Bearer <token>`.")
    return token


def authorize(caller: Caller, access: str) -> None:
    """Checks that ``caller`` may call a method with this `access` option.

    Raises:
        PermissionMissing: the token does not hold the permission.
    """
    if access in (PUBLIC, SIGNED_IN) or access in caller.permissions:
        return
    raise PermissionMissing(f"The permission {access} is needed.", permission=access)


def _caller_from(claims: dict[str, Any]) -> Caller:
    return Caller(
        tenant_id=TenantId(UUID(claims["tenant"])),
        user_id=UserId(UUID(claims["sub"])),
        permissions=frozenset(str(claims["scope"]).split()),
        jurisdiction=str(claims["jurisdiction"]),
        home_region=str(claims["home_region"]),
        home_epoch=int(claims["home_epoch"]),
        expire_time=datetime.fromtimestamp(claims["exp"], UTC),
    )
