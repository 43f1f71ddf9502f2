"""The region's Redis as a read-through cache. Losing it costs time, never an answer."""

from collections.abc import Awaitable, Callable

import redis.asyncio
import structlog
from pydantic import SecretStr
from redis.exceptions import RedisError

from services.chassis.tenancy import current_caller

TIMEOUT_SECONDS = 0.2

log = structlog.get_logger()


class Cache:
    """Keys are the caller's alone: the tenant is part of each, and nobody can leave it out."""

    def __init__(self, url: SecretStr) -> None:
        self._redis = redis.asyncio.from_url(
            url.get_secret_value(),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )

    async def get_or_make(
        self, key: str, make: Callable[[], Awaitable[bytes]], *, ttl_seconds: int
    ) -> bytes:
        """Returns what is kept under ``key``, or makes it and keeps it for ``ttl_seconds``.

        Put the version of what is kept into the key: nothing here invalidates.
        """
        full_key = f"{current_caller().tenant_id}:{key}"
        try:
            kept = await self._redis.get(full_key)
        except RedisError as error:
            log.warning("cache_unavailable", kind=type(error).__name__)
            return await make()
        if kept is not None:
            return kept if isinstance(kept, bytes) else kept.encode()
        made = await make()
        try:
            await self._redis.set(full_key, made, ex=ttl_seconds)
        except RedisError as error:
            log.warning("cache_unavailable", kind=type(error).__name__)
        return made

    async def close(self) -> None:
        await self._redis.aclose()
