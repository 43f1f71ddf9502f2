"""Tokens of many tenants, signed by keys that the lab holds."""

import base64
import datetime as dt
import hashlib
from uuid import UUID

from services.chassis.topology import Topology
from tests.support.tokens import Signer, claims

TENANTS = 40
"""For each home region."""

LASTS = dt.timedelta(hours=12)


class Tokens:
    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._signers = {name: Signer(f"{name}-lab") for name in topology.jurisdictions}
        self.of_home = {
            home: tuple(self.sign(home, _tenant(home, n)) for n in range(TENANTS))
            for home in topology.regions
        }

    def sign(self, home: str, tenant: UUID | None = None) -> str:
        """A token for a tenant at home in ``home``, good for everything."""
        jurisdiction = self._topology.jurisdiction_of(home)
        made = claims(jurisdiction, home, tenant)
        made["exp"] = made["iat"] + LASTS
        return self._signers[jurisdiction.name].sign(made)

    def keys(self, jurisdiction: str) -> list[dict[str, str]]:
        """Its public keys, as `SigningKey` has them."""
        signer = self._signers[jurisdiction]
        numbers = signer.private_key.public_key().public_numbers()
        return [
            {
                "kid": signer.kid,
                "issuer": self._topology.jurisdictions[jurisdiction].issuer,
                "x": _text(numbers.x),
                "y": _text(numbers.y),
            }
        ]


def tenant_prefix(home: str) -> bytes:
    """The first half of the id of every tenant at home in ``home``."""
    return hashlib.sha256(home.encode()).digest()[:8]


def _tenant(home: str, number: int) -> UUID:
    return UUID(bytes=tenant_prefix(home) + number.to_bytes(8, "big"))


def _text(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(32, "big")).decode().rstrip("=")
