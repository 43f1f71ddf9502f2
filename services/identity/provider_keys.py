"""The published keys of sign-in providers, read over HTTPS and kept for a while."""

import asyncio
from collections.abc import Iterable

import jwt
import structlog

from services.chassis.errors import Unavailable
from services.identity.providers import Provider

FETCH_SECONDS = 3.0
KEYS_SECONDS = 300.0
"""How long keys are used before they are read again."""
COOLDOWN_SECONDS = 5.0
"""An unknown key id reads them at once, but no more often than this."""

log = structlog.get_logger()


class ProviderUnavailable(Unavailable):
    reason = "PROVIDER_UNAVAILABLE"


class PublishedKeys:
    """Implements `authenticate.ProviderKeys`."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self._clients = {
            provider.issuer: jwt.PyJWKClient(
                provider.jwks_url,
                lifespan=KEYS_SECONDS,
                cooldown_duration=COOLDOWN_SECONDS,
                timeout=FETCH_SECONDS,
            )
            for provider in providers
        }

    async def find(self, issuer: str, kid: str) -> jwt.PyJWK | None:
        """Returns the key, or None if the provider publishes none of this id.

        Raises:
            ProviderUnavailable: its keys cannot be read.
        """
        client = self._clients[issuer]
        try:
            # urllib underneath, which blocks. Keys in memory would be quicker without a thread, but
            # the lock around them may be held by a fetch.
            return await asyncio.to_thread(client.get_signing_key, kid)
        except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, OSError, ValueError) as error:
            log.warning("provider_keys_unreadable", issuer=issuer, kind=type(error).__name__)
            raise ProviderUnavailable("The sign-in provider's keys cannot be read.") from None
        except jwt.PyJWKClientError:
            return None
