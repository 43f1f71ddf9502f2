import asyncio

import psycopg
import pytest
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis.clock import utc_now
from services.chassis.database import Database
from services.chassis.keys import KeysUnavailable
from services.identity import keyring
from services.identity.keys import KeySafe, KeySealed, SigningKey
from tests.store.identity.support import HOME, SIBLING, fresh, open_database
from tests.support.servers import free_port

SAFE = KeySafe(SecretStr("s" * 32))


async def own_key(database: Database, issuer: str, region: str = HOME) -> SigningKey:
    return await keyring.own_key(database, region, issuer, safe=SAFE, clock=utc_now)


async def test_processes_that_start_at_once_share_one_key(servers: dict[str, Postgres]) -> None:
    issuer = fresh("https://issuer")
    # A database object each: the pools of separate processes.
    databases = [open_database(servers) for _ in range(4)]
    made = await asyncio.gather(*(own_key(database, issuer) for database in databases))
    for database in databases:
        await database.close()
    assert len({key.kid for key in made}) == 1


async def test_a_key_outlives_its_process(database: Database) -> None:
    issuer = fresh("https://issuer")
    assert (await own_key(database, issuer)).kid == (await own_key(database, issuer)).kid


async def test_a_key_does_not_open_with_another_secret(database: Database) -> None:
    issuer = fresh("https://issuer")
    await own_key(database, issuer)
    other = KeySafe(SecretStr("t" * 32))
    with pytest.raises(KeySealed):
        await keyring.own_key(database, HOME, issuer, safe=other, clock=utc_now)


async def test_the_private_half_is_not_in_the_database(
    database: Database, servers: dict[str, Postgres]
) -> None:
    issuer = fresh("https://issuer")
    key = await own_key(database, issuer)
    number = key.private_key.private_numbers().private_value.to_bytes(32, "big")
    with psycopg.connect(servers[HOME].app_url("identity")) as connection:
        (sealed,) = connection.execute(
            "SELECT sealed FROM signing_key WHERE issuer = %s", (issuer,)
        ).fetchone() or (b"",)
    assert sealed
    assert number not in sealed


async def test_keys_of_every_region_of_the_jurisdiction_are_known(database: Database) -> None:
    issuer = fresh("https://issuer")
    here, there = await own_key(database, issuer), await own_key(database, issuer, SIBLING)
    keys = keyring.ring_of(database, issuer)
    assert await keys.find(here.kid) == here.private_key.public_key()
    assert await keys.find(there.kid) == there.private_key.public_key()
    assert await keys.find("another") is None


async def test_keys_of_another_issuer_are_not_known(database: Database) -> None:
    foreign = await own_key(database, fresh("https://issuer"))
    keys = keyring.ring_of(database, fresh("https://issuer"))
    assert await keys.find(foreign.kid) is None


async def test_a_silent_region_makes_an_unknown_key_unavailable_and_not_invalid(
    servers: dict[str, Postgres],
) -> None:
    silent = SecretStr(f"postgresql://identity_app:x@127.0.0.1:{free_port()}/identity")
    database = Database({HOME: SecretStr(servers[HOME].app_url("identity")), SIBLING: silent})
    issuer = fresh("https://issuer")
    key = await own_key(database, issuer)
    keys = keyring.ring_of(database, issuer)
    assert await keys.find(key.kid) is not None
    with pytest.raises(KeysUnavailable):
        await keys.find("another")
    await database.close()
