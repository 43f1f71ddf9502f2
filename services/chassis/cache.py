"""The region's Redis as a read-through cache. Losing it costs time, never an answer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import redis.asyncio
import structlog
from pydantic import SecretStr
from redis.exceptions import RedisError

from services.chassis.tenancy import TenantId, current_caller

TIMEOUT_SECONDS = 0.2
CHANGING = b"changing"
CHANGING_SECONDS = 10
"""Of a change whose process was lost half way: nothing is read from the cache for so long."""
EDITION_SECONDS = 60
"""How old an answer may be, if a change could not tell Redis of itself."""

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
            return _bytes(kept)
        made = await make()
        await self._set(full_key, made, ttl_seconds)
        return made

    async def get_or_make_newest(
        self, key: str, make: Callable[[], Awaitable[bytes]], *, ttl_seconds: int
    ) -> bytes:
        """The same for what changes: an answer is good until the tenant's next `changing`.

        What is kept bears the edition of the tenant's data that was there before it was made. All
        that reads and changes them must use one Redis.
        """
        tenant_id = current_caller().tenant_id
        full_key = f"{tenant_id}:{key}"
        try:
            edition, kept = map(_bytes, await self._redis.mget(_edition_key(tenant_id), full_key))
            if edition and kept and kept.startswith(edition):
                return kept[len(edition) :]
            edition = edition or await self._new_edition(tenant_id)
        except RedisError as error:
            log.warning("cache_unavailable", kind=type(error).__name__)
            return await make()
        made = await make()
        if edition != CHANGING:
            await self._set(full_key, edition + made, ttl_seconds)
        return made

    @asynccontextmanager
    async def changing(self, tenant_id: TenantId) -> AsyncIterator[None]:
        """Around a transaction that changes what is kept by `get_or_make_newest`.

        While it lasts, nothing is read from the cache or kept there. After it, nothing older is.
        """
        key = _edition_key(tenant_id)
        await self._set(key, CHANGING, CHANGING_SECONDS)
        try:
            yield
        finally:
            await self._set(key, uuid4().bytes, EDITION_SECONDS)

    async def _new_edition(self, tenant_id: TenantId) -> bytes:
        """Raises RedisError."""
        key = _edition_key(tenant_id)
        await self._redis.set(key, uuid4().bytes, ex=EDITION_SECONDS, nx=True)
        # Another caller's may have come first, or a change.
        return _bytes(await self._redis.get(key)) or CHANGING

    async def _set(self, key: str, value: bytes, seconds: int) -> None:
        try:
            await self._redis.set(key, value, ex=seconds)
        except RedisError as error:
            log.warning("cache_unavailable", kind=type(error).__name__)

    async def close(self) -> None:
        await self._redis.aclose()


def _bytes(kept: bytes | str | None) -> bytes:
    """Nothing, if there is none."""
    return kept.encode() if isinstance(kept, str) else kept or b""


def _edition_key(tenant_id: UUID) -> str:
    return f"{tenant_id}:edition"
