"""Enriched tokens. Pure: the key, the time and the token's id are arguments."""

from datetime import datetime, timedelta
from uuid import UUID

import jwt

from services.chassis.auth import ALGORITHM, TYPE
from services.chassis.topology import Jurisdiction
from services.identity.domain import Resident
from services.identity.keys import SigningKey

LIFETIME_SECONDS = 15 * 60


def mint(
    resident: Resident,
    *,
    jurisdiction: Jurisdiction,
    key: SigningKey,
    now: datetime,
    token_id: UUID,
) -> str:
    """Returns an enriched token, good for `LIFETIME_SECONDS` from ``now``.

    Raises:
        ValueError: the resident's home is outside of ``jurisdiction``, or the key is of another.
    """
    if resident.home_region not in jurisdiction.regions:
        raise ValueError(f"{resident.home_region} is not in {jurisdiction.name}.")
    if key.issuer != jurisdiction.issuer:
        raise ValueError(f"The key does not sign for {jurisdiction.name}.")
    claims = {
        "iss": jurisdiction.issuer,
        "aud": [jurisdiction.audience],
        "sub": str(resident.user_id),
        "tenant": str(resident.tenant_id),
        "jurisdiction": jurisdiction.name,
        "home_region": resident.home_region,
        "home_epoch": resident.home_epoch,
        "scope": " ".join(sorted(resident.permissions)),
        "iat": now,
        "exp": now + timedelta(seconds=LIFETIME_SECONDS),
        "jti": str(token_id),
    }
    headers = {"typ": TYPE, "kid": key.kid}
    return jwt.encode(claims, key.private_key, algorithm=ALGORITHM, headers=headers)
