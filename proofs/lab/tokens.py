"""Tokens of many tenants, signed by keys that the lab holds."""

import base64
import datetime as dt
from uuid import UUID, uuid5

from services.chassis.topology import Topology
from tests.support.tokens import Signer, claims

TENANTS = 40
"""For each home region."""

LASTS = dt.timedelta(hours=12)
NAMESPACE = UUID("6f1c9a52-3a55-4c86-9d0c-6c3d2f6c5d11")


class Tokens:
    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._signers = {name: Signer(f"{name}-lab") for name in topology.jurisdictions}
        self.of_home = {
            home: tuple(self.sign(home, uuid5(NAMESPACE, f"{home}/{n}")) for n in range(TENANTS))
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


def _text(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(32, "big")).decode().rstrip("=")
