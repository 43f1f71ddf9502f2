"""What is kept of the audit: added up by all routers, and deleted when it is old alone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from deploy.local.postgres import Postgres
from services.chassis import topology
from services.chassis.clock import utc_now
from services.chassis.database import Database, DatabaseUnavailable
from services.chassis.tenancy import TenantId, reading
from services.router import nodes
from services.router.audit import HOUR_NANOS, VIOLATIONS_KEPT, Auditor, Entry
from services.router.evidence import Evidence, Report
from services.router.store_evidence import EvidenceStore, Period, Total
from tests.store.router.support import until
from tests.support.api import TOPOLOGY
from tests.support.servers import free_port, postgres
from tests.unit.router.audit_world import FOREIGN, HOME, PATH, SIBLING, WEST, body, endpoints

EDGE = nodes.edge(HOME)
ALWAYS = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
BROKEN = "evidence_broken"
NOW = int(utc_now().timestamp()) * 10**9


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres("router") as made:
        yield made


@pytest_asyncio.fixture
async def database(server: Postgres) -> AsyncIterator[Database]:
    opened = Database({HOME: SecretStr(server.app_url("router"))})
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def _nothing_kept(server: Postgres) -> None:
    with psycopg.connect(server.url("postgres", "router")) as connection:
        connection.execute("TRUNCATE residency_total, residency_tenant, residency_violation")


@pytest.fixture
def evidence(database: Database) -> tuple[Evidence, Auditor]:
    return router(database)


def router(database: Database) -> tuple[Evidence, Auditor]:
    """One of the region's routers."""
    auditor = Auditor(topology.load(TOPOLOGY), endpoints(), HOME, [PATH])
    return Evidence(database, auditor, HOME, utc_now), auditor


def served(tenant: UUID, host: str = SIBLING, count: int = 1, time: int = NOW) -> list[Entry]:
    return [Entry(time, b"\x01" * 16, body("EU", host, tenant=str(tenant)))] * count


async def test_routers_of_a_region_add_to_the_same_counts(database: Database) -> None:
    tenant = uuid4()
    for calls in (2, 3):
        one, auditor = router(database)
        auditor.note(EDGE, served(tenant, count=calls))
        assert await one.flush()
    found = (await one.report(ALWAYS)).regions[0]
    assert found.totals == [Total("EU", "eu-west-1", "edge", 5, 0)]


async def test_a_tenant_sees_its_own_counts_alone(
    evidence: tuple[Evidence, Auditor], server: Postgres
) -> None:
    ours, auditor = evidence
    one, other = uuid4(), uuid4()
    auditor.note(EDGE, [*served(one, count=2), *served(other, count=7)])
    assert await ours.flush()
    found = await ours.report_of(TenantId(one), ALWAYS)
    assert [total.calls for total in found.regions[0].totals] == [2]
    with psycopg.connect(server.app_url("router")) as connection:
        assert connection.execute("SELECT * FROM residency_tenant").fetchall() == []


async def test_violations_are_kept_without_tenant_newest_first(
    evidence: tuple[Evidence, Auditor],
) -> None:
    ours, auditor = evidence
    auditor.note(EDGE, served(uuid4(), FOREIGN))
    auditor.note(EDGE, served(uuid4(), FOREIGN, time=NOW + 10**9))
    found = (await ours.report(ALWAYS)).regions[0]
    assert [one.time_nanos - NOW for one in found.violations] == [10**9, 0]
    assert found.violations[0].served_region == "us-east-1"
    assert found.violations[0].node == "edge/eu-central-1/1"
    assert sum(total.violations for total in found.totals) == 2


async def test_a_flood_of_violations_is_counted_whole_and_kept_in_part(
    evidence: tuple[Evidence, Auditor], server: Postgres
) -> None:
    ours, auditor = evidence
    auditor.note(EDGE, served(uuid4(), FOREIGN, count=1000))
    found = (await ours.report(ALWAYS)).regions[0]
    assert sum(total.violations for total in found.totals) == 1000
    with psycopg.connect(server.url("postgres", "router")) as connection:
        row = connection.execute("SELECT count(*) FROM residency_violation").fetchone()
        assert row == (VIOLATIONS_KEPT,)


async def test_counts_wait_for_a_database_that_is_away() -> None:
    away = Database({HOME: SecretStr(f"postgresql://x:x@127.0.0.1:{free_port()}/router")})
    ours, auditor = router(away)
    auditor.note(EDGE, served(uuid4(), count=4))
    assert not await ours.flush()
    assert [count.calls for count in auditor.take().totals.values()] == [4]
    await away.close()


async def test_counting_goes_on_when_a_flush_breaks(
    evidence: tuple[Evidence, Auditor], server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.router.evidence.FLUSH_SECONDS", 0.01)
    ours, auditor = evidence
    with psycopg.connect(server.url("postgres", "router"), autocommit=True) as connection:

        def kept() -> list[Any]:
            return connection.execute("SELECT calls FROM residency_total").fetchall()

        connection.execute("ALTER TABLE residency_total RENAME TO elsewhere")
        try:
            with capture_logs() as logged:
                async with ours.keeping():
                    auditor.note(EDGE, served(uuid4(), count=4))
                    await until(lambda: [one["event"] for one in logged].count(BROKEN) > 1)
                    connection.execute("ALTER TABLE elsewhere RENAME TO residency_total")
                    await until(lambda: kept() == [(4,)])
        finally:
            connection.execute("ALTER TABLE IF EXISTS elsewhere RENAME TO residency_total")


async def test_a_region_that_does_not_answer_is_named(server: Postgres) -> None:
    both = Database(
        {
            HOME: SecretStr(server.app_url("router")),
            WEST: SecretStr(f"postgresql://x:x@127.0.0.1:{free_port()}/router"),
        }
    )
    ours, auditor = router(both)
    auditor.note(EDGE, served(uuid4()))
    found = await ours.report(ALWAYS)
    assert found.unreachable == [WEST]
    assert [one.region for one in found.regions] == [HOME]
    # A receipt speaks of the whole jurisdiction or not at all.
    with pytest.raises(DatabaseUnavailable):
        await ours.report_of(TenantId(uuid4()), ALWAYS)
    await both.close()


async def test_a_report_brings_what_is_not_flushed_yet_although_it_may_not_write(
    evidence: tuple[Evidence, Auditor],
) -> None:
    ours, auditor = evidence
    auditor.note(EDGE, served(uuid4()))
    with reading():
        found = await ours.report(ALWAYS)
    assert sum(total.calls for total in found.regions[0].totals) == 1


async def test_a_standby_that_has_stopped_replaying_is_not_asked(
    both: dict[str, Postgres], server: Postgres
) -> None:
    urls = {
        HOME: SecretStr(server.app_url("router")),
        WEST: SecretStr(both[WEST].app_url("router")),
    }
    stale = {WEST: SecretStr(both[HOME].app_url("router"))}  # It has nothing of what is there.
    for table in ("residency_total", "residency_tenant", "residency_violation"):
        with psycopg.connect(both[WEST].url("postgres", "router")) as connection:
            connection.execute(f"TRUNCATE {table}")
    database, tenant = Database(urls, stale), uuid4()
    auditor = Auditor(topology.load(TOPOLOGY), endpoints(), WEST, [PATH])
    auditor.note(nodes.edge(WEST), served(tenant, count=3))
    assert await Evidence(database, auditor, WEST, utc_now).flush()
    ours, _ = router(database)
    with reading():
        found = [await ours.report_of(TenantId(tenant), ALWAYS), await ours.report(ALWAYS)]
    for one in found:
        counted = {evidence.region: evidence.totals for evidence in one.regions}
        assert [total.calls for total in counted[WEST]] == [3]
    await database.close()


async def test_many_who_ask_for_receipts_leave_connections_for_counting(
    evidence: tuple[Evidence, Auditor], server: Postgres
) -> None:
    ours, auditor = evidence
    with psycopg.connect(server.url("postgres", "router")) as connection:
        connection.execute("LOCK TABLE residency_tenant")  # Each now takes as long as it may.
        asking = [asyncio.create_task(ours.report_of(TenantId(uuid4()), ALWAYS)) for _ in range(9)]
        await asyncio.sleep(0.5)  # Time to take connections.
        auditor.note(EDGE, [Entry(NOW, b"", body("EU", SIBLING))])
        found = await ours.report(ALWAYS)
    assert not found.unreachable
    assert sum(total.calls for total in found.regions[0].totals) == 1
    # Those who waited are answered.
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[-1], Report)


async def test_a_receipt_writes_nothing(evidence: tuple[Evidence, Auditor]) -> None:
    ours, auditor = evidence
    tenant = uuid4()
    auditor.note(EDGE, served(tenant))
    assert (await ours.report_of(TenantId(tenant), ALWAYS)).regions[0].totals == []
    assert auditor.take()


async def test_leaving_flushes_once_more(evidence: tuple[Evidence, Auditor]) -> None:
    ours, auditor = evidence
    async with ours.keeping():
        auditor.note(EDGE, served(uuid4()))
    assert not auditor.take()


async def test_only_hours_of_the_period_are_counted(evidence: tuple[Evidence, Auditor]) -> None:
    ours, auditor = evidence
    auditor.note(EDGE, served(uuid4(), count=2))
    auditor.note(EDGE, served(uuid4(), count=5, time=NOW - 3 * HOUR_NANOS))
    start = datetime.fromtimestamp(NOW // 10**9, UTC)
    found = await ours.report(Period(start, start + timedelta(seconds=1)))
    assert sum(total.calls for total in found.regions[0].totals) == 2


async def test_what_is_old_is_deleted_of_every_tenant_and_nothing_else(
    evidence: tuple[Evidence, Auditor], database: Database, server: Postgres
) -> None:
    ours, auditor = evidence
    young, old = uuid4(), uuid4()
    auditor.note(EDGE, served(young, FOREIGN))
    auditor.note(EDGE, served(old, FOREIGN, time=NOW - 401 * 24 * HOUR_NANOS))
    assert await ours.flush()
    async with database.transaction_of(HOME, None) as session:
        await EvidenceStore(session).forget()
    with psycopg.connect(server.url("postgres", "router")) as connection:
        assert connection.execute("SELECT tenant_id FROM residency_tenant").fetchall() == [(young,)]
        for table in ("residency_total", "residency_violation"):
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
            assert row == (1,)


async def test_the_service_cannot_delete_evidence(
    evidence: tuple[Evidence, Auditor], server: Postgres
) -> None:
    ours, auditor = evidence
    tenant = uuid4()
    auditor.note(EDGE, served(tenant, FOREIGN))
    assert await ours.flush()
    with psycopg.connect(server.app_url("router")) as connection:
        connection.execute("SELECT set_config('hemline.tenant_id', %s, false)", (str(tenant),))
        for table in ("residency_total", "residency_tenant", "residency_violation"):
            assert connection.execute(f"DELETE FROM {table}").rowcount == 0  # noqa: S608


@pytest.mark.parametrize("table", ["residency_total", "residency_tenant"])
@pytest.mark.parametrize(
    "change", ["calls = calls - 1", "violations = violations - 1", "calls = -1, violations = -1"]
)
async def test_the_service_cannot_make_a_count_smaller(
    evidence: tuple[Evidence, Auditor], server: Postgres, table: str, change: str
) -> None:
    ours, auditor = evidence
    tenant = uuid4()
    auditor.note(EDGE, served(tenant, FOREIGN, count=2))
    assert await ours.flush()
    with psycopg.connect(server.app_url("router"), autocommit=True) as connection:
        connection.execute("SELECT set_config('hemline.tenant_id', %s, false)", (str(tenant),))
        with pytest.raises(psycopg.errors.CheckViolation, match="only grow"):
            connection.execute(f"UPDATE {table} SET {change}")  # noqa: S608
        read = f"SELECT calls, violations FROM {table}"  # noqa: S608
        assert connection.execute(read).fetchall() == [(2, 2)]


@pytest.mark.parametrize("counts", [(-1, 0), (1, -1)])
async def test_the_service_cannot_add_a_count_below_zero(
    server: Postgres, counts: tuple[int, int]
) -> None:
    insert = "INSERT INTO residency_total VALUES (now(), 'eu-west-1', 'edge', %s, %s, 'EU')"
    with (
        psycopg.connect(server.app_url("router"), autocommit=True) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute(insert, counts)
