"""The jurisdiction's signing keys as identity knows them: from the databases of its regions.

Every other service asks identity (`services/chassis/keys.py`); identity has nobody to ask.
"""

import asyncio
import time
from typing import Any

import structlog

from services.chassis.clock import Clock
from services.chassis.database import Database, DatabaseUnavailable
from services.identity.keys import KeySafe, PublishedKey, SigningKey
from services.identity.store_keys import KeyStore

KEYS_LISTED = 10
REFRESH_SECONDS = 1.0
"""An unknown key id asks the databases again, but no more often than this."""

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
    async with database.transaction_of(region, None) as session:
        return await KeyStore(session).published(issuer, KEYS_LISTED)


class RegionKeys:
    """Implements `auth.PublicKeys` for one jurisdiction. Keys once read stay."""

    def __init__(self, database: Database, issuer: str) -> None:
        self._database = database
        self._issuer = issuer
        self._keys: dict[str, Any] = {}
        self._refreshing = asyncio.Lock()
        self._refreshed_at = float("-inf")
        self._unreadable = False

    async def find(self, kid: str) -> Any | None:
        """Returns the key, or None if no region of the jurisdiction has it.

        Raises:
            DatabaseUnavailable: a region that may have it does not answer.
        """
        if kid not in self._keys:
            await self._refresh()
        key = self._keys.get(kid)
        if key is None and self._unreadable:
            raise DatabaseUnavailable("The signing keys of a region cannot be read.")
        return key

    async def _refresh(self) -> None:
        async with self._refreshing:
            if time.monotonic() - self._refreshed_at < REFRESH_SECONDS:
                return
            regions = self._database.home_regions
            found = await asyncio.gather(
                *(published(self._database, region, self._issuer) for region in regions),
                return_exceptions=True,
            )
            self._refreshed_at = time.monotonic()
            self._unreadable = False
            for region, keys in zip(regions, found, strict=True):
                if isinstance(keys, DatabaseUnavailable):
                    log.warning("signing_keys_unreadable", of_region=region)
                    self._unreadable = True
                elif isinstance(keys, BaseException):
                    raise keys
                else:
                    self._keys |= {key.jwk.kid: key.jwk.public_key() for key in keys}
