"""The jurisdiction's signing keys as identity knows them: from the databases of its regions.

Every other service asks identity (`services/chassis/keys.py`); identity has nobody to ask.
"""

from functools import partial

import structlog

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.keys import Jwk, KeyRing
from services.chassis.tenancy import reading
from services.identity.keys import KeySafe, PublishedKey, SigningKey
from services.identity.store_keys import KeyStore

KEYS_LISTED = 10

log = structlog.get_logger()


async def own_key(
    database: Database, region: str, issuer: str, *, safe: KeySafe, clock: Clock
) -> SigningKey:
    """Returns the key with which ``region`` signs, made and stored if it is the first.

    Raises:
        DatabaseUnavailable: the region's database does not answer.
        KeySealed: the stored key does not open.
    """
    async with database.transaction_of(region, None) as session:
        store = KeyStore(session)
        # Two processes that start at once queue up here, and the second finds the first one's key.
        await store.lock()
        stored = await store.newest(issuer)
        if stored is None:
            stored = safe.make(issuer, clock())
            await store.insert(stored)
            log.info("signing_key_made", kid=stored.published.jwk.kid)
    return safe.open(stored)


async def published(database: Database, region: str, issuer: str) -> list[PublishedKey]:
    """Returns the public keys of ``region``, newest first, at most `KEYS_LISTED`."""
    with reading():
        async with database.transaction_of(region, None) as session:
            return await KeyStore(session).published(issuer, KEYS_LISTED)


def ring_of(database: Database, issuer: str) -> KeyRing:
    """The keys of every region of the jurisdiction, for checking tokens."""

    async def read(region: str) -> list[Jwk]:
        return [key.jwk for key in await published(database, region, issuer)]

    return KeyRing({region: partial(read, region) for region in database.home_regions})
