import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.chassis.cache import Cache
from services.chassis.tenancy import Caller, TenantId, UserId, serving
from tests.support import servers

CALLER = Caller(
    TenantId(uuid4()), UserId(uuid4()), frozenset(), "EU", "eu-central-1", 1, datetime.now(UTC)
)


class Data:
    """What is behind the cache."""

    def __init__(self) -> None:
        self.value = b"first"
        self.reads = 0

    async def read(self) -> bytes:
        self.reads += 1
        return self.value


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with servers.redis() as started:
        yield started


@pytest_asyncio.fixture
async def cache(url: str) -> AsyncIterator[Cache]:
    opened = Cache(SecretStr(url))
    with serving(CALLER):
        async with opened.changing(CALLER.tenant_id):
            pass
        yield opened
    await opened.close()


async def newest(cache: Cache, data: Data) -> bytes:
    with serving(CALLER):
        return await cache.get_or_make_newest("key", data.read, ttl_seconds=60)


async def test_what_is_kept_is_read_until_it_changes(cache: Cache) -> None:
    data = Data()
    assert [await newest(cache, data) for _ in range(3)] == [b"first"] * 3
    assert data.reads == 1
    async with cache.changing(CALLER.tenant_id):
        data.value = b"second"
    assert [await newest(cache, data) for _ in range(3)] == [b"second"] * 3
    assert data.reads == 2


async def test_while_it_changes_nothing_is_kept(cache: Cache) -> None:
    data = Data()
    await newest(cache, data)
    async with cache.changing(CALLER.tenant_id):
        for _ in range(2):
            await newest(cache, data)  # Old still: the transaction is not over.
        data.value = b"second"
        assert await newest(cache, data) == b"second"
    assert data.reads == 4
    assert await newest(cache, data) == b"second"


async def test_what_was_read_before_a_change_and_kept_after_it_is_not_read(cache: Cache) -> None:
    data, started, go_on = Data(), asyncio.Event(), asyncio.Event()

    async def slow() -> bytes:
        value = data.value
        started.set()
        await go_on.wait()
        return value

    with serving(CALLER):
        reading = asyncio.create_task(cache.get_or_make_newest("key", slow, ttl_seconds=60))
    await started.wait()
    async with cache.changing(CALLER.tenant_id):
        data.value = b"second"
    go_on.set()
    assert await reading == b"first"
    assert await newest(cache, data) == b"second"


async def test_without_redis_everything_is_made(cache: Cache) -> None:
    del cache
    nowhere, data = Cache(SecretStr(f"redis://127.0.0.1:{servers.free_port()}/0")), Data()
    async with nowhere.changing(CALLER.tenant_id):
        pass
    assert [await newest(nowhere, data) for _ in range(2)] == [b"first"] * 2
    assert data.reads == 2
    await nowhere.close()
