"""Tokens signed by a region's own key: what only a wrong identity service could have minted."""

from typing import Any

import jwt
import psycopg
from pydantic import SecretStr

from deploy.local import private
from services.chassis.keys import Jwk
from services.identity.keys import KeySafe, PublishedKey, StoredKey
from tests.support.world import BASE_PORT, World

PORT_STEP = 100


def signed(world: World, region: str, jurisdiction: str, claims: dict[str, Any]) -> str:
    """Signs ``claims`` with the key that the region's identity service signs with."""
    regions = ["eu-central-1", "eu-west-1", "us-east-1"]
    port = BASE_PORT + PORT_STEP * regions.index(region)
    secrets = private.load(world.folder / "secrets.json")
    password = secrets.of("database", region, "identity", "app")
    with psycopg.connect(
        host="127.0.0.1", port=port, dbname="identity", user="identity_app", password=password
    ) as connection:
        query = "SELECT kid, issuer, x, y, create_time, sealed FROM signing_key"
        row = connection.execute(query).fetchone()
    assert row is not None
    kid, issuer, x, y, create_time, sealed = row
    stored = StoredKey(PublishedKey(Jwk(kid, issuer, x, y), create_time), bytes(sealed))
    key = KeySafe(SecretStr(secrets.of("signing keys", jurisdiction))).open(stored)
    return jwt.encode(
        claims, key.private_key, algorithm="ES256", headers={"typ": "at+jwt", "kid": key.kid}
    )
