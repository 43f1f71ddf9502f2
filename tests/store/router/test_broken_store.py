"""A store that answers with errors is as good as gone, and harms nobody else's policy."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from structlog.testing import capture_logs

from deploy.local.postgres import Postgres
from tests.store.router.support import HOME, SIBLING, log_of, router, until

Servers = dict[str, Postgres]


@contextmanager
def broken(server: Postgres) -> Iterator[None]:
    """Its table is gone, as after a restore that went wrong."""
    with psycopg.connect(server.owner_url("router"), autocommit=True) as connection:
        connection.execute("ALTER TABLE policy_change RENAME TO elsewhere")
        try:
            yield
        finally:
            connection.execute("ALTER TABLE elsewhere RENAME TO policy_change")


async def test_a_siblings_broken_store_is_silent_and_takes_nothing_away(servers: Servers) -> None:
    with capture_logs() as logged:
        async with router(servers) as one:
            await one.drain(SIBLING, 10)
            with broken(servers[SIBLING]):
                await until(lambda: one.source.silent == {SIBLING})
                await one.drain(SIBLING, 20)
                assert one.drained == {SIBLING: 20}
                assert len(log_of(servers[HOME])) == 2
            await until(lambda: one.source.silent == frozenset())
            assert len(log_of(servers[SIBLING])) == 1
    told = [entry for entry in logged if entry["event"] == "policy_store_broken"]
    assert [entry["store"] for entry in told] == [SIBLING]


async def test_a_router_starts_beside_a_siblings_broken_store(servers: Servers) -> None:
    with broken(servers[SIBLING]):
        async with router(servers) as one:
            assert one.source.answering
            await one.drain(SIBLING, 10)
            assert one.told[-1].drained == {SIBLING: 10}
