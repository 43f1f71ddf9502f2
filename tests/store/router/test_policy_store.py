"""The log of policy changes: what is kept, who else gets it, what holds while a store is gone."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from deploy.local.postgres import Postgres
from services.chassis.database import DatabaseUnavailable
from services.chassis.errors import RequestIdReused
from services.router.errors import LastHealthyRegion, PolicyChanged, SnapshotRefused
from services.router.policy import Mode, Policy
from tests.store.router.support import (
    HOME,
    SIBLING,
    log_of,
    make_order,
    router,
    until,
)

Servers = dict[str, Postgres]

HANG_SECONDS = 30.0
"""A call that waits for a frozen store itself never ends; no other takes a tenth of that."""


@contextmanager
def frozen(server: Postgres) -> Iterator[None]:
    """Stops the server and all its sessions, as a machine that hangs does."""
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    family = [pid, *map(int, children.split())]
    for each in family:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in family:
            os.kill(each, signal.SIGCONT)


def gone(server: Postgres) -> Postgres:
    """The same server at a port where nobody listens."""
    return Postgres(server.data, 1, server.password)


async def test_the_service_may_add_to_the_log_and_change_nothing_in_it(servers: Servers) -> None:
    async with router(servers) as one:
        await one.drain(SIBLING, 10)
    with psycopg.connect(servers[HOME].app_url("router"), autocommit=True) as connection:
        for statement in (
            b"UPDATE policy_change SET reason = ''",
            b"DELETE FROM policy_change",
            b"TRUNCATE policy_change",
            b"DROP TABLE policy_change",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


async def test_a_change_is_written_to_every_region_and_survives_the_router(
    servers: Servers,
) -> None:
    async with router(servers) as one:
        outcome = await one.operations.drain(make_order(), SIBLING, 30)
        assert outcome.unreachable == ()
        assert one.told[-1].drained == {SIBLING: 30}
    assert len(log_of(servers[HOME])) == 1
    assert log_of(servers[HOME]) == log_of(servers[SIBLING])
    async with router(servers, SIBLING) as other:
        assert other.told[0].drained == {SIBLING: 30}
        assert other.operations.history()[0][0].reason == "test"


async def test_who_asks_another_router_is_told_what_was_just_accepted(servers: Servers) -> None:
    async with router(servers) as one, router(servers, SIBLING, polls=False) as other:
        await one.drain(HOME, 5)
        assert other.drained == {}
        assert (await other.operations.fresh_policy()).policy.drained == {HOME: 5}
        assert other.told[-1].drained == {HOME: 5}


async def test_who_asks_is_told_what_was_known_while_no_store_answers(servers: Servers) -> None:
    async with router(servers) as one:
        await one.drain(SIBLING, 5)
        with frozen(servers[HOME]), frozen(servers[SIBLING]):
            async with asyncio.timeout(HANG_SECONDS):
                known = await one.operations.fresh_policy()
    assert known.policy.drained == {SIBLING: 5}


async def test_another_router_hears_of_it_by_itself(servers: Servers) -> None:
    async with router(servers) as one, router(servers, SIBLING) as other:
        await one.drain(HOME, 5)
        await until(lambda: other.drained == {HOME: 5})
        assert other.told[-1].drained == {HOME: 5}
        assert one.source.merged == other.source.merged
        assert one.source.merged.etag == other.source.merged.etag


async def test_the_same_request_is_answered_as_the_first_time(servers: Servers) -> None:
    async with router(servers) as one, router(servers, SIBLING) as other:
        order = make_order()
        first = await one.operations.drain(order, SIBLING, 30)
        await one.drain(SIBLING, 60)
        again = await other.operations.drain(order, SIBLING, 30)
        assert again == first
        assert len(log_of(servers[HOME])) == 2
        with pytest.raises(RequestIdReused):
            await one.operations.drain(order, SIBLING, 31)


async def test_of_a_request_sent_twice_at_once_one_is_written(servers: Servers) -> None:
    async with router(servers) as one, router(servers, SIBLING) as other:
        order = make_order()
        both = [each.operations.drain(order, SIBLING, 30) for each in (one, other, one)]
        outcomes = await asyncio.gather(*both)
        assert [each == outcomes[0] for each in outcomes] == [True, True, True]
        assert len(log_of(servers[HOME])) == 1


async def test_an_old_etag_is_refused_and_changes_nothing(servers: Servers) -> None:
    async with router(servers) as one, router(servers, SIBLING) as other:
        seen = one.source.merged.etag
        await other.drain(SIBLING, 1, etag=seen)
        # Also before this router has polled: the store itself knows.
        with pytest.raises(PolicyChanged):
            await one.drain(SIBLING, 2, etag=seen)
        await one.drain(SIBLING, 2, etag=other.source.merged.etag)


async def test_two_operators_who_reach_the_same_store_cannot_drain_everything(
    servers: Servers,
) -> None:
    async with router(servers) as one, router(servers, SIBLING) as other:
        calls = (one.drain(HOME), other.drain(SIBLING))
        results = await asyncio.gather(*calls, return_exceptions=True)
        refused = [each for each in results if isinstance(each, LastHealthyRegion)]
        assert len(refused) == 1
        assert len(log_of(servers[HOME])) == 1


async def test_a_dry_run_says_what_would_be_and_writes_nothing(servers: Servers) -> None:
    async with router(servers) as one:
        outcome = await one.operations.drain(make_order(validate_only=True), HOME, 25)
        assert outcome.merged.policy.drained == {HOME: 25}
        (shares,) = [each for each in outcome.shares if (each.home, each.edge) == (HOME, HOME)]
        assert shares.percents == {HOME: 75.0, SIBLING: 25.0}
        assert one.drained == {}
    assert log_of(servers[HOME]) == []


@pytest.mark.parametrize("dry", [True, False])
async def test_what_the_checker_would_refuse_is_not_written(servers: Servers, dry: bool) -> None:  # noqa: FBT001
    async with router(servers) as one:
        one.refuses.append(Policy(drained={SIBLING: 4}))
        with pytest.raises(SnapshotRefused) as refusal:
            await one.drain(SIBLING, 4, validate_only=dry)
        assert [each.description for each in refusal.value.violations] == ["not safe"]
        assert one.drained == {}
        await one.drain(SIBLING, 5)
    assert [version for version, *_ in log_of(servers[HOME])] == [1]


async def test_where_nothing_can_be_published_a_change_may_be_what_helps(servers: Servers) -> None:
    async with router(servers) as one:
        one.refuses += [Policy(), Policy(drained={SIBLING: 4})]
        await one.drain(SIBLING, 4)
        assert one.drained == {SIBLING: 4}


@pytest.mark.parametrize("away", [HOME, SIBLING])
async def test_without_one_region_the_other_takes_the_change_and_brings_it_later(
    servers: Servers, away: str
) -> None:
    broken = {**servers, away: gone(servers[away])}
    async with router(broken) as one:
        outcome = await one.operations.drain(make_order(), SIBLING, 7)
        assert outcome.unreachable == (away,)
    assert log_of(servers[away]) == []
    # Whose router comes first does not matter: each brings what its own region lacks.
    async with router(servers, away) as healed:
        assert healed.drained == {SIBLING: 7}
        await until(lambda: len(log_of(servers[away])) == 1)
        assert log_of(servers[away]) == log_of(servers[HOME if away == SIBLING else SIBLING])
        assert healed.operations.history()[1] == ()


async def test_what_two_sides_decided_apart_is_merged_the_same_on_both(servers: Servers) -> None:
    here, there = {HOME: servers[HOME]}, {SIBLING: servers[SIBLING]}
    async with router(here) as one, router(there, SIBLING) as other:
        tracks = {"inventory": {"stable": 90, "canary": 10}}
        await one.operations.set_policy(make_order(), Policy(Mode.LATENCY, tracks=tracks))
        await other.drain(HOME, 40)
    async with router(servers) as one, router(servers, SIBLING) as other:
        assert one.source.merged == other.source.merged
        policy = one.source.merged.policy
        assert (policy.mode, policy.drained, policy.tracks) == (Mode.LATENCY, {HOME: 40}, tracks)
        await until(lambda: len(log_of(servers[HOME])) == 2 == len(log_of(servers[SIBLING])))


async def test_drains_of_everything_decided_apart_leave_the_older_one(servers: Servers) -> None:
    here, there = {HOME: servers[HOME]}, {SIBLING: servers[SIBLING]}
    async with router(here) as one, router(there, SIBLING) as other:
        await one.drain(HOME)
        await other.drain(SIBLING)
    async with router(servers) as one, router(servers, SIBLING) as other:
        assert one.drained == other.drained == {HOME: 100}
        (ignored,) = one.source.merged.ignored
        assert ignored[1] == SIBLING
        # For good: when the other comes back, nobody is surprised by an old drain.
        await one.operations.undrain(make_order(), HOME, 0)
        assert one.drained == {}


async def test_a_frozen_store_holds_up_no_drain(servers: Servers) -> None:
    async with router(servers) as one, router(servers, SIBLING):
        await one.drain(SIBLING, 1)
        for region in (HOME, SIBLING):
            with frozen(servers[region]):
                async with asyncio.timeout(HANG_SECONDS):
                    outcome = await one.operations.drain(make_order(), SIBLING, 2)
                assert outcome.unreachable == (region,)
                assert outcome.merged.policy.drained == {SIBLING: 2}
                # Twice in a row: what was given up takes no connection away from what follows.
                await one.drain(SIBLING, 1)
            await until(lambda: not one.source.silent)
        await until(lambda: log_of(servers[HOME]) == log_of(servers[SIBLING]))


async def test_without_any_store_nothing_changes_and_the_policy_stays(servers: Servers) -> None:
    async with router(servers) as one:
        await one.drain(SIBLING, 9)
        with frozen(servers[HOME]), frozen(servers[SIBLING]):
            with pytest.raises(DatabaseUnavailable):
                await one.drain(SIBLING, 10)
            await until(lambda: len(one.source.silent) == 2)
            assert one.drained == {SIBLING: 9}
            with pytest.raises(DatabaseUnavailable):
                one.operations.history()


async def test_a_router_that_starts_without_any_store_steers_as_the_topology_says(
    servers: Servers,
) -> None:
    nowhere = {region: gone(server) for region, server in servers.items()}
    async with router(nowhere, polls=False) as one:
        polling = asyncio.create_task(one.source.run())
        found = await one.source.first(0.2)
        assert found["EU"].mode is Mode.FAILOVER
        polling.cancel()


async def test_a_database_made_anew_is_filled_again(servers: Servers) -> None:
    async with router(servers) as one:
        await one.drain(SIBLING, 3, request_id=uuid4())
        with psycopg.connect(servers[HOME].owner_url("router")) as connection:
            connection.execute("TRUNCATE policy_change")
        await until(lambda: len(log_of(servers[HOME])) == 1)
        assert one.drained == {SIBLING: 3}


def prolong(server: Postgres, changes: int) -> None:
    """Has operators been busy: drains by 1 to 50 percent, one after the other."""
    with psycopg.connect(server.owner_url("router")) as connection:
        connection.execute(
            """
            INSERT INTO policy_change
            SELECT n, %s, md5(n::text)::uuid, '', now(), 'someone', 'drain', '',
                   jsonb_build_object('drained', jsonb_build_object(%s::text, 1 + n %% 50))
            FROM generate_series(1, %s) AS n
            """,
            (HOME, SIBLING, changes),
        )


async def test_a_long_log_is_no_reason_for_a_write_to_fail(servers: Servers) -> None:
    """Each store has less than a second to answer, in which it once had to tell everything."""
    for server in servers.values():
        prolong(server, 5_000)
    async with router(servers) as one:
        await until(lambda: not one.source.silent, seconds=30)
        order = make_order()
        first = await one.operations.drain(order, SIBLING, 60)
        assert first.unreachable == ()
        assert first.merged.version == 5_001
        await one.drain(SIBLING, 61)
        assert await one.operations.drain(order, SIBLING, 60) == first


async def test_a_database_made_anew_is_filled_with_a_long_log(servers: Servers) -> None:
    prolong(servers[SIBLING], 2_000)
    async with router(servers):
        await until(lambda: len(log_of(servers[HOME])) == 2_000, seconds=30)


async def test_a_change_that_comes_late_with_an_old_version_is_read(servers: Servers) -> None:
    async with router(servers) as one:
        for percent in (1, 2, 3):
            await one.drain(SIBLING, percent)
        with psycopg.connect(servers[SIBLING].owner_url("router")) as connection:
            connection.execute(
                "INSERT INTO policy_change VALUES (2, %s, gen_random_uuid(), '', now(), '', '', '',"
                " jsonb_build_object('drained', jsonb_build_object(%s::text, 9)))",
                (SIBLING, HOME),
            )
        await until(lambda: one.drained == {SIBLING: 3, HOME: 9})
        await until(lambda: log_of(servers[HOME]) == log_of(servers[SIBLING]))
