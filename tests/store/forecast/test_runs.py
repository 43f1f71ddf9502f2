from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.forecast.domain import KEPT_RUNS, NoRun, Run, RunRequest, SeriesForecast, Trend
from services.forecast.domain_imports import Batch
from services.forecast.domain_sales import SalesLine
from services.forecast.imports import import_lines
from services.forecast.store import ForecastStore
from services.forecast.store_history import MOST_DAYS, Sales, measure, read_sales
from services.forecast.store_runs import RunStore
from services.forecast.store_sales import SalesStore
from tests.store.forecast.support import FIRST_DAY, HOME, batch, line

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def tenant_id() -> UUID:
    return uuid4()


def run_of(number: int) -> Run:
    request = RunRequest(uuid4(), 2)
    return Run(uuid4(), number, request, date(2026, 5, 31), 1, "tsb-calendar", 0.8, 0.5, NOW)


def forecast_of(sku: str, units: float = 1.5) -> SeriesForecast:
    return SeriesForecast("berlin", sku, f"p\\{sku}", units, [0.5, 1.0], [0, 0], [0, 1], [2, 3])


async def store_run(database: Database, tenant_id: UUID, number: int, units: float = 1.5) -> Run:
    run = run_of(number)
    trends = [Trend(1, "p", 2.0, 1.5, 20, 10)]
    async with database.transaction_of(HOME, tenant_id) as session:
        await RunStore(session).add(run, [forecast_of("A", units), forecast_of("B")], trends)
    return run


async def test_what_was_stored_is_read(database: Database, tenant_id: UUID) -> None:
    run = await store_run(database, tenant_id, 1)
    async with database.transaction_of(HOME, tenant_id) as session:
        store = ForecastStore(session)
        assert await store.kept_runs() == [run]
        assert await store.find(run, "berlin", "A") == forecast_of("A")
        assert await store.find(run, "berlin", "C") is None
        assert await store.trends(run, 0, 10) == [Trend(1, "p", 2.0, 1.5, 20, 10)]
        assert await RunStore(session).find_by_request(run.request.request_id) == run


async def test_only_the_last_runs_keep_their_forecasts(database: Database, tenant_id: UUID) -> None:
    runs = [await store_run(database, tenant_id, number) for number in range(1, KEPT_RUNS + 3)]
    async with database.transaction_of(HOME, tenant_id) as session:
        store = ForecastStore(session)
        assert await store.kept_runs() == runs[: -KEPT_RUNS - 1 : -1]
        found = [await store.find(run, "berlin", "A") is not None for run in runs]
        assert found == [False] * 2 + [True] * KEPT_RUNS
        first = await RunStore(session).find_by_request(runs[0].request.request_id)
        assert first == runs[0]


async def test_a_run_that_fails_half_way_is_not_seen(database: Database, tenant_id: UUID) -> None:
    good = await store_run(database, tenant_id, 1)
    with pytest.raises(RuntimeError):  # noqa: PT012 one transaction
        async with database.transaction_of(HOME, tenant_id) as session:
            await RunStore(session).add(run_of(2), [forecast_of("A")], [])
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
    run = run_of(1)
    units = {"A": 1.0, "B": 3.25, "C": 1.0, "D": 1.0 / 3, "E": 3.25}
    async with database.transaction_of(HOME, tenant_id) as session:
        await RunStore(session).add(run, [forecast_of(sku, u) for sku, u in units.items()], [])
        seen: list[str] = []
        after = None
        while page := await ForecastStore(session).by_units(run, None, after, 2):
            seen.extend(each.sku for each in page)
            after = (page[-1].horizon_mean_units, page[-1].store, page[-1].sku)
    assert seen == ["B", "E", "A", "C", "D"]


async def test_a_lease_keeps_others_out_until_it_ends_or_expires(
    database: Database, tenant_id: UUID
) -> None:
    first, second = uuid4(), uuid4()
    minute = timedelta(minutes=1)
    async with database.transaction_of(HOME, tenant_id) as session:
        store = RunStore(session)
        assert await store.take_lease(first, now=NOW, until=NOW + minute)
        assert not await store.take_lease(second, now=NOW, until=NOW + minute)
        assert await store.take_lease(second, now=NOW + minute, until=NOW + 2 * minute)
        assert not await store.end_lease(first)
        assert await store.end_lease(second)
        assert await store.take_lease(first, now=NOW, until=NOW + minute)
    async with database.transaction_of(HOME, uuid4()) as session:
        assert await RunStore(session).take_lease(second, now=NOW, until=NOW + minute)


async def read(database: Database, tenant_id: UUID, *lines: SalesLine) -> Sales | None:
    async def arriving() -> AsyncIterator[Batch[SalesLine]]:
        yield batch(*lines)

    async with database.transaction_of(HOME, tenant_id) as session:
        if lines:
            await import_lines(uuid4(), arriving(), store=SalesStore(session), now=NOW)
        extent = await measure(session)
        if extent is None:
            return None
        sales = await read_sales(session, extent)
    assert extent.series == sales.history.stores.size
    return sales


async def test_sales_are_read_as_daily_sums_of_numbered_series(
    database: Database, tenant_id: UUID
) -> None:
    days = [FIRST_DAY + timedelta(days=day) for day in range(4)]
    sales = await read(
        database,
        tenant_id,
        line(1, sale_date=days[0], units=5),
        line(2, sale_date=days[0], units=-2),
        line(3, sale_date=days[3], units=4, product="shirt/new"),
        line(4, sale_date=days[1], sku="A", product="A", store="paris"),
        line(5, sale_date=days[2], sku="Z", product="A", units=-6),
    )
    assert sales is not None
    assert sales.names.series == [
        ("berlin", "SHIRT-M", "shirt/new"),
        ("berlin", "Z", "A"),
        ("paris", "A", "A"),
    ]
    assert sales.names.products == ["A", "shirt/new"]
    assert sales.history.stores.tolist() == [0, 0, 1]
    assert sales.history.products.tolist() == [1, 0, 0]
    assert sales.history.cutoff_date == days[3]
    expected = np.array([[3, 0, 0], [0, 0, 1], [0, 0, 0], [4, 0, 0]])
    assert sales.history.panel().units.tolist() == expected.tolist()


async def test_sales_before_the_last_four_years_only_name_their_series(
    database: Database, tenant_id: UUID
) -> None:
    old = FIRST_DAY - timedelta(days=MOST_DAYS)
    lines = line(1, sku="A", sale_date=old), line(2, sku="B", sale_date=FIRST_DAY)
    sales = await read(database, tenant_id, *lines)
    assert sales is not None
    assert [sku for _, sku, _ in sales.names.series] == ["A", "B"]
    units = sales.history.panel().units
    assert units.shape == (MOST_DAYS, 2)
    assert units.sum(axis=0).tolist() == [0, 1]


async def test_without_sales_there_is_nothing_to_read(database: Database, tenant_id: UUID) -> None:
    assert await read(database, tenant_id) is None


async def test_the_best_seller_page_is_read_from_its_index(
    database: Database, tenant_id: UUID
) -> None:
    run = run_of(1)
    many = [forecast_of(f"S{at:05}", at / 7) for at in range(3_000)]
    async with database.transaction_of(HOME, tenant_id) as session:
        await RunStore(session).add(run, many, [])
        plan = await session.scalars(
            text(
                "EXPLAIN SELECT * FROM forecast WHERE run_number = 1 "
                "ORDER BY horizon_mean_units DESC, store, sku LIMIT 50"
            )
        )
        assert any("forecast_best_sellers" in row for row in plan)
