"""A sign-in provider in memory: keys, and the ID tokens that it might issue."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from services.chassis import topology
from services.identity.authenticate import Authenticator
from services.identity.providers import Provider

REGION = "eu-central-1"
TOPOLOGY = topology.load(Path(__file__).parents[3] / "deploy" / "topology.yaml")
EU = Provider("https://signin.eu.example", "https://signin.eu.example/keys", "client-eu", "EU")
US = Provider("https://signin.us.example", "https://signin.us.example/keys", "client-us", "US")


class MemoryKeys:
    """Implements `authenticate.ProviderKeys`. Counts what it was asked."""

    def __init__(self) -> None:
        self.private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private_key.public_key()))
        self.jwk = jwt.PyJWK({**public, "kid": "k1", "alg": "RS256", "use": "sig"})
        self.asked: list[tuple[str, str]] = []

    async def find(self, issuer: str, kid: str) -> jwt.PyJWK | None:
        self.asked.append((issuer, kid))
        return self.jwk if (issuer, kid) == (EU.issuer, "k1") else None


def authenticator(keys: MemoryKeys) -> Authenticator:
    return Authenticator((EU, US), keys, TOPOLOGY, REGION)


def id_claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good ID token, with ``changed`` ones replaced, or left out if None."""
    now = datetime.now(UTC)
    good = {
        "iss": EU.issuer,
        "aud": EU.client_id,
        "sub": "a-person",
        "token_use": "id",
        "iat": now,
        "exp": now + timedelta(hours=1),
        "email": "Planner@Atelier-Nord.example",
        "email_verified": "true",
        **changed,
    }
    return {name: value for name, value in good.items() if value is not None}


def signed(keys: MemoryKeys, claims: dict[str, Any], **header: str) -> str:
    return jwt.encode(claims, keys.private_key, algorithm="RS256", headers={"kid": "k1", **header})
