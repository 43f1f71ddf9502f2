from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from services.chassis.tenancy import TenantId
from services.forecast.domain.forecasts import (
    KEPT_RUNS,
    NoRun,
    Run,
    RunRequest,
    SeriesForecast,
    Trend,
)
from services.forecast.jobs.end import clean
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.stores.forecasts import ForecastStore
from services.forecast.stores.partitions import SERIES, ensure, partitions
from services.forecast.stores.runs import RunStore
from tests.store.forecast.support import HOME, as_app

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def tenant_id() -> UUID:
    return uuid4()


def run_of(number: int, period: str = "D") -> Run:
    request = RunRequest(uuid4(), 2)
    day = date(2026, 5, 31)
    return Run(uuid4(), number, request, day, 1, "plain", 0.8, 0.5, NOW, period)


def forecast_of(sku: str, units: float = 1.5) -> SeriesForecast:
    return SeriesForecast("berlin", sku, f"p\\{sku}", units, [0.5, 1.0], [0, 0], [0, 1], [2, 3])


def rows_of(forecasts: Iterable[SeriesForecast]) -> bytes:
    """Lines as shards answer with them."""
    lines = []
    for each in forecasts:
        days = (each.mean, each.p10, each.p50, each.p90, each.p10, each.p50, each.p90)
        texts = ["{" + ",".join(map(str, values)) + "}" for values in days]
        lines.append("\t".join([repr(each.horizon_mean_units), *texts, "plain", "\\N"]))
    return "\n".join(lines).encode()


async def add(session: AsyncSession, run: Run, forecasts: Sequence[SeriesForecast]) -> None:
    store = RunStore(session)
    names = [(each.store, each.sku, each.product) for each in forecasts]
    await store.add_series(run.id, 0, names, rows_of(forecasts))
    await store.add(run, "light", [Trend(1, "p", 2.0, 1.5, 20, 10)])


async def store_run(
    database: Database, tenant_id: UUID, number: int, forecasts: Sequence[SeriesForecast] = ()
) -> Run:
    run = run_of(number)
    data = TenantData(database, HOME, TenantId(tenant_id))
    async with data.transaction() as session:
        await ensure(session, SERIES, run.id)
    async with data.transaction() as session:
        await add(session, run, forecasts or [forecast_of("A"), forecast_of("B")])
    await clean(data, lambda: NOW)
    return run


async def test_what_was_stored_is_read(database: Database, tenant_id: UUID) -> None:
    run = await store_run(database, tenant_id, 1)
    async with database.transaction_of(HOME, tenant_id) as session:
        store = ForecastStore(session)
        assert await store.kept_runs() == [run]
        assert await store.find(run, "berlin", "A") == forecast_of("A")
        assert await store.find(run, "berlin", "C") is None
        assert await store.trends(run, 0, 10) == [Trend(1, "p", 2.0, 1.5, 20, 10)]
        assert await RunStore(session).find(run.id) == run


async def test_only_the_last_runs_keep_their_forecasts(database: Database, tenant_id: UUID) -> None:
    runs = [await store_run(database, tenant_id, number) for number in range(1, KEPT_RUNS + 3)]
    async with database.transaction_of(HOME, tenant_id) as session:
        store = ForecastStore(session)
        assert await store.kept_runs() == runs[: -KEPT_RUNS - 1 : -1]
        found = [await store.find(run, "berlin", "A") is not None for run in runs]
        assert found == [False] * 2 + [True] * KEPT_RUNS
        assert await RunStore(session).find(runs[0].id) == runs[0]
        kept = {run.id for run in runs[-KEPT_RUNS:]}
        assert {key for _, key in await partitions(session)} == kept


async def test_a_run_that_fails_half_way_is_not_seen(database: Database, tenant_id: UUID) -> None:
    good = await store_run(database, tenant_id, 1)
    bad = run_of(2)
    async with database.transaction_of(HOME, tenant_id) as session:
        await ensure(session, SERIES, bad.id)
    with pytest.raises(RuntimeError):  # noqa: PT012 one transaction
        async with database.transaction_of(HOME, tenant_id) as session:
            await add(session, bad, [forecast_of("A")])
            raise RuntimeError
    async with database.transaction_of(HOME, tenant_id) as session:
        store = ForecastStore(session)
        assert await store.kept_runs() == [good]
        assert len(await store.by_name(good, None, None, 10)) == 2


async def test_other_tenants_have_other_runs(database: Database, tenant_id: UUID) -> None:
    run = await store_run(database, tenant_id, 1)
    async with database.transaction_of(HOME, uuid4()) as session:
        with pytest.raises(NoRun):
            await ForecastStore(session).kept_runs()
        assert await ForecastStore(session).by_name(run, None, None, 10) == []
        assert await RunStore(session).next_number() == 1


async def test_best_sellers_come_first_and_ties_in_order_of_name(
    database: Database, tenant_id: UUID
) -> None:
    units = {"A": 1.0, "B": 3.25, "C": 1.0, "D": 1.0 / 3, "E": 3.25}
    run = await store_run(database, tenant_id, 1, [forecast_of(*each) for each in units.items()])
    async with database.transaction_of(HOME, tenant_id) as session:
        seen: list[str] = []
        after = None
        while page := await ForecastStore(session).by_units(run, None, after, 2):
            seen.extend(each.sku for each in page)
            after = (page[-1].horizon_mean_units, page[-1].store, page[-1].sku)
    assert seen == ["B", "E", "A", "C", "D"]


async def test_the_best_seller_page_is_read_from_its_index(
    database: Database, tenant_id: UUID
) -> None:
    many = [forecast_of(f"S{at:05}", at / 7) for at in range(3_000)]
    runs = [await store_run(database, tenant_id, number, many) for number in (1, 2)]
    async with database.transaction_of(HOME, tenant_id) as session:
        plan = await session.scalars(
            text(
                "EXPLAIN SELECT * FROM forecast_series WHERE run_id = :run "
                "ORDER BY horizon_mean_units DESC, store, sku LIMIT 50"
            ).bindparams(run=runs[-1].id)
        )
        lines = list(plan)
    # One partition alone is looked at, by its index.
    assert "Index Scan" in lines[1]
    assert not any("Append" in line or "Sort" in line for line in lines)


async def test_nobody_drops_reads_or_fills_anothers_partition(
    database: Database, tenant_id: UUID, server: Postgres
) -> None:
    run = await store_run(database, tenant_id, 1)
    drop = "SELECT forecast_drop_partition('forecast_series', %s)"
    with as_app(server, uuid4()) as other:
        other.execute(drop, (run.id,))
        found = other.execute("SELECT count(*) FROM forecast_series WHERE run_id = %s", (run.id,))
        assert found.fetchone() == (0,)
    async with database.transaction_of(HOME, tenant_id) as session:
        assert await ForecastStore(session).find(run, "berlin", "A") is not None
    row = "INSERT INTO forecast_series SELECT %s, run_id, 's', 'X', product, 0, mean, p10, p50, p90"
    with as_app(server, tenant_id) as own, pytest.raises(psycopg.errors.InsufficientPrivilege):
        own.execute(f"{row}, tier, shard FROM forecast_series LIMIT 1", (uuid4(),))


async def test_a_partition_is_reached_through_its_table_alone(
    database: Database, tenant_id: UUID, server: Postgres
) -> None:
    await store_run(database, tenant_id, 1)
    with as_app(server, tenant_id) as own:
        found = own.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits "
            "WHERE inhparent = 'forecast_series'::regclass"
        ).fetchall()
        for (name,) in found:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), own.transaction():
                own.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))


@pytest.mark.parametrize("table", ["sale_line", "forecast_run"])
async def test_only_bulky_tables_have_partitions(server: Postgres, table: str) -> None:
    with as_app(server, uuid4()) as own, pytest.raises(psycopg.errors.InsufficientPrivilege):
        own.execute("SELECT forecast_add_partition(%s, %s)", (table, uuid4()))
    with as_app(server, None) as nobody, pytest.raises(psycopg.errors.InsufficientPrivilege):
        nobody.execute("SELECT forecast_add_partition('job_input', %s)", (uuid4(),))
