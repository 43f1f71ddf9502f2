"""A sibling's home region has failed: reads go on from its standby, writes say when they will."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from deploy.local.lag import Role
from services.chassis.database import Database, DatabaseUnavailable, HomeRegionReadOnly
from services.chassis.tenancy import Caller, reading, serving
from tests.store.chassis.test_database import TABLE
from tests.support.replicas import HOME, Pair, pair
from tests.support.tokens import caller

HANG_SECONDS = 30.0
"""A call that waits for a frozen server itself never ends; no other takes a tenth of that."""


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    with pair() as made:
        made.home.server.provision("probe")
        with psycopg.connect(made.home.server.owner_url("probe")) as connection:
            connection.execute(TABLE)
        made.level()
        yield made


@pytest.fixture
async def sibling(servers: Pair) -> AsyncIterator[Database]:
    """As the service beside the standby has it."""
    opened = Database(
        {HOME: servers.url("probe", servers.home, servers.sibling)},
        {HOME: servers.url("probe", servers.sibling, servers.home)},
    )
    yield opened
    await opened.close()


@pytest.fixture
async def home(servers: Pair) -> AsyncIterator[Database]:
    """As the home region's own service has it."""
    opened = Database({HOME: servers.url("probe", servers.home, servers.sibling)})
    yield opened
    await opened.close()


@contextmanager
def frozen(servers: Pair) -> Iterator[None]:
    servers.signal(servers.home, signal.SIGSTOP)
    try:
        yield
    finally:
        servers.signal(servers.home, signal.SIGCONT)


@contextmanager
def dead(servers: Pair) -> Iterator[None]:
    servers.kill(servers.home)
    try:
        yield
    finally:
        servers.start(servers.home)
        servers.until(servers.home, Role.PRIMARY)


async def add(database: Database, someone: Caller, name: str) -> None:
    with serving(someone):
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO thing (name) VALUES (:name)"), {"name": name})


async def add_when_possible(database: Database, someone: Caller, name: str) -> None:
    """A refusal is repeated for a while, without asking the server again."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            try:
                return await add(database, someone, name)
            except HomeRegionReadOnly:
                await asyncio.sleep(0.05)


async def names(database: Database, someone: Caller) -> list[str]:
    with serving(someone), reading():
        async with database.transaction() as session:
            return list((await session.execute(text("SELECT name FROM thing"))).scalars())


@pytest.mark.parametrize("fault", [dead, frozen])
async def test_reads_go_on_and_writes_say_what_is_the_matter(
    servers: Pair, sibling: Database, fault: object
) -> None:
    ours, theirs = caller(home_region=HOME), caller(home_region=HOME)
    await add(sibling, ours, "ours")  # Leaves a connection to the primary in the pool.
    servers.level()
    with fault(servers):  # type: ignore[operator]
        async with asyncio.timeout(HANG_SECONDS):
            assert await names(sibling, ours) == ["ours"]
            assert await names(sibling, theirs) == []  # Row-level security holds on the standby.
            for _ in range(3):
                with pytest.raises(HomeRegionReadOnly) as refusal:
                    await add(sibling, ours, "more")
        assert refusal.value.reason == "HOME_REGION_READ_ONLY"
        assert refusal.value.metadata == {"home_region": HOME}
    await add_when_possible(sibling, ours, "later")
    servers.level()
    assert sorted(await names(sibling, ours)) == ["later", "ours"]


async def test_reads_come_from_the_standby_while_the_primary_is_well(
    servers: Pair, sibling: Database
) -> None:
    with serving(caller(home_region=HOME)), reading():
        async with sibling.transaction() as session:
            port = (await session.execute(text("SELECT inet_server_port()"))).scalar_one()
    assert port == servers.sibling.server.port


async def test_a_read_that_writes_is_a_bug_at_home_as_well(home: Database) -> None:
    with pytest.raises(DBAPIError), serving(caller(home_region=HOME)), reading():
        async with home.transaction() as session:
            await session.execute(text("INSERT INTO thing (name) VALUES ('x')"))


async def test_the_home_region_without_its_primary_is_unavailable_to_reads(
    servers: Pair, home: Database
) -> None:
    someone = caller(home_region=HOME)
    with dead(servers):
        with pytest.raises(DatabaseUnavailable) as refusal:
            await names(home, someone)
        assert refusal.type is DatabaseUnavailable
        assert not await home.pulse(HOME).beats()
    beating = home.pulse(HOME)
    assert await beating.beats()
    await beating.close()


async def test_a_server_that_turned_read_only_under_a_connection_is_told(
    servers: Pair,
) -> None:
    lonely = Database({HOME: servers.url("probe", servers.sibling)})
    with pytest.raises(HomeRegionReadOnly):  # SQLSTATE 25006, from the server itself.
        await add(lonely, caller(home_region=HOME), str(uuid4()))
    await lonely.close()


async def test_after_a_promotion_both_regions_write_where_the_primary_is(
    servers: Pair, sibling: Database, home: Database
) -> None:
    someone = caller(home_region=HOME)
    await add(sibling, someone, "before")
    servers.level()
    servers.kill(servers.home)
    with pytest.raises(HomeRegionReadOnly):
        await add(sibling, someone, "refused")
    servers.move(servers.sibling)
    with psycopg.connect(servers.sibling.server.url("postgres", "postgres")) as connection:
        assert connection.execute("SELECT pg_promote(true, 20)").fetchone() == (True,)
    await add_when_possible(sibling, someone, "promoted")
    # Who was the primary comes back, by the same command, as a standby of who is.
    servers.start(servers.home)
    servers.until(servers.home, Role.STANDBY)
    await add(home, someone, "home again")
    assert set(await names(sibling, someone)) == {"before", "promoted", "home again"}
    assert set(await names(home, someone)) == {"before", "promoted", "home again"}
