import asyncio
from datetime import date, timedelta
from uuid import uuid4

import grpc
import pytest
from hemline.forecast.v1 import forecast_service_pb2, forecast_service_pb2_grpc
from pydantic import SecretStr

from services.chassis.cache import Cache
from services.chassis.clock import utc_now
from services.chassis.database import Database
from services.chassis.server import Served
from services.forecast.jobs.requests import Jobs
from services.forecast.server import served
from services.forecast.wire.servicers.forecasts import ForecastServicer
from tests.api.forecast.support import (
    FIRST_DAY,
    Breakable,
    Planner,
    refused,
    sales_line,
    season,
)
from tests.support.api import Api, api
from tests.support.servers import free_port

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
LAST_DAY = FIRST_DAY + timedelta(days=82)  # The Saturday before the last Sunday.


async def test_a_run_forecasts_every_series_from_the_day_after_the_last_sale(
    planner: Planner,
) -> None:
    await planner.imports(season())
    run = await planner.runs(horizon_days=14)
    assert (run.series, run.horizon_days) == (8, 14)
    assert "plain" in run.model
    assert date.fromisoformat(run.cutoff_date) == LAST_DAY
    assert 0.6 < run.coverage <= 1
    assert 0 < run.wape < 1
    forecast = await planner.gets("stores/paris/forecasts/SKU-3")
    assert (forecast.sku, forecast.product, forecast.run) == ("SKU-3", "product-3", run.name)
    dates = [date.fromisoformat(day.date) for day in forecast.days]
    assert dates == [LAST_DAY + timedelta(days=ahead) for ahead in range(1, 15)]
    for day in forecast.days:
        assert 0 <= day.p10_units <= day.p50_units <= day.p90_units
    sundays = [d.mean_units for d in forecast.days if date.fromisoformat(d.date).weekday() == 6]
    assert max(sundays) < 1
    assert forecast.horizon_mean_units == pytest.approx(4 * 12, rel=0.25)
    total = sum(day.mean_units for day in forecast.days)
    assert forecast.horizon_mean_units == pytest.approx(total, rel=1e-5)


async def test_a_retry_of_a_run_gets_the_first_answer(planner: Planner) -> None:
    await planner.imports(season(days=30))
    name = str(uuid4())
    first = await planner.runs(7, name)
    await planner.runs(7)
    assert await planner.runs(7, name) == first
    code, reason, _, _ = await refused(planner.runs(8, name))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_without_sales_there_is_nothing_to_learn_from(planner: Planner) -> None:
    for _ in range(2):  # The first refusal must not leave a run in progress.
        assert (await refused(planner.runs()))[:2] == (PRECONDITION, "NO_SALES")


async def test_a_history_too_large_for_the_host_is_refused_before_it_is_read(
    planner: Planner, database: Database, redis_url: str
) -> None:
    await planner.imports([sales_line(1), sales_line(2, sku="SHIRT-L")])
    cells = 2 * (1 + 4 * 7)  # Series x (days of history + four results of each day ahead).
    cache = Cache(SecretStr(redis_url))
    for most_cells in (cells - 1, cells):
        jobs = Jobs(database, utc_now, lambda *_: None, most_cells)
        async with api([forecasts(ForecastServicer(database, cache, jobs))]) as small:
            tight = Planner(small, planner.tenant_id)
            if most_cells < cells:
                code, reason, metadata, _ = await refused(tight.runs(7))
                assert (code, reason) == (PRECONDITION, "HISTORY_TOO_LARGE")
                assert metadata == {"cells": str(cells), "most_cells": str(most_cells)}
            else:
                assert (await tight.runs(7)).series == 2
    await cache.close()


def forecasts(servicer: ForecastServicer) -> Served:
    return Served(
        forecast_service_pb2.DESCRIPTOR.services_by_name["ForecastService"],
        forecast_service_pb2_grpc.add_ForecastServiceServicer_to_server,
        servicer,
    )


async def test_without_a_run_there_is_nothing_to_read(planner: Planner) -> None:
    for call in (planner.gets("stores/berlin/forecasts/X"), planner.lists(), planner.trends()):
        assert (await refused(call))[:2] == (PRECONDITION, "NO_RUN")


async def test_two_runs_of_a_tenant_do_not_overlap(planner: Planner) -> None:
    await planner.imports(season())
    answers = await asyncio.gather(planner.runs(), planner.runs(), return_exceptions=True)
    failed = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert [error.code() for error in failed] == [grpc.StatusCode.ABORTED]
    await planner.runs()


async def test_a_failed_run_leaves_the_last_good_one(planner: Planner, executor: Breakable) -> None:
    await planner.imports(season(days=30))
    good = await planner.runs()
    executor.broken = True
    try:
        assert (await refused(planner.runs()))[0] == grpc.StatusCode.INTERNAL
    finally:
        executor.broken = False
    assert (await planner.lists()).forecast_run == good
    assert (await planner.runs()).name != good.name


async def test_a_run_whose_caller_goes_away_goes_on(planner: Planner) -> None:
    await planner.imports(season())
    name = str(uuid4())
    call = asyncio.create_task(planner.runs(request_id=name))
    await asyncio.sleep(0.15)  # Long enough to be accepted, too short for the worker.
    call.cancel()
    assert (await planner.runs(request_id=name)).series == 8


async def test_an_unknown_series_is_not_found(planner: Planner) -> None:
    await planner.imports([sales_line()])
    await planner.runs()
    code, reason, metadata, _ = await refused(planner.gets("stores/berlin/forecasts/NONE"))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "FORECAST_NOT_FOUND")
    assert metadata == {"store": "berlin", "sku": "NONE"}


async def test_one_sale_is_history_enough(planner: Planner) -> None:
    await planner.imports([sales_line(units=3)])
    run = await planner.runs()
    assert (run.series, run.cutoff_date) == (1, FIRST_DAY.isoformat())
    forecast = await planner.gets("stores/berlin/forecasts/SHIRT-M")
    assert 0 < forecast.horizon_mean_units <= 3 * 14
    assert list((await planner.trends()).trending_products) == []


async def test_returns_are_taken_off_and_never_make_a_day_negative(planner: Planner) -> None:
    await planner.imports([sales_line(1, units=2), sales_line(2, units=-5)])
    await planner.runs()
    forecast = await planner.gets("stores/berlin/forecasts/SHIRT-M")
    assert {day.mean_units for day in forecast.days} == {0}


async def test_the_growing_product_trends_first(planner: Planner) -> None:
    await planner.imports(season(days=126))
    await planner.runs()
    first, *others = (await planner.trends()).trending_products
    assert (first.product, first.rank) == ("product-0", 1)
    assert first.growth_ratio > first.growth_ratio_p10 > 1
    assert first.recent_units > 1.5 * first.previous_units
    assert [other.rank for other in others] == [2, 3, 4]


async def test_a_new_run_is_read_at_once(planner: Planner) -> None:
    await planner.imports(season(days=30))
    for _ in range(2):
        run = await planner.runs()
        assert (await planner.gets("stores/berlin/forecasts/SKU-0")).run == run.name
        assert (await planner.lists()).forecast_run == run


async def test_tenants_see_their_own(planner: Planner, running: Api) -> None:
    await planner.imports(season(days=30))
    await planner.runs()
    await planner.gets("stores/berlin/forecasts/SKU-0")  # Now in the cache.
    other = Planner(running, uuid4())
    assert (await refused(other.gets("stores/berlin/forecasts/SKU-0")))[1] == "NO_RUN"
    await other.imports([sales_line(sku="OTHER")])
    await other.runs()
    assert [f.sku for f in (await other.lists()).forecasts] == ["OTHER"]


async def test_without_redis_every_answer_is_the_same(planner: Planner, database: Database) -> None:
    await planner.imports(season(days=60))
    await planner.runs()
    with_redis = await planner.gets("stores/berlin/forecasts/SKU-1"), await planner.trends()
    nowhere = Cache(SecretStr(f"redis://127.0.0.1:{free_port()}/0"))
    jobs = Jobs(database, utc_now, lambda *_: None)
    async with api(served(database, nowhere, utc_now, jobs)) as without:
        lonely = Planner(without, planner.tenant_id)
        assert await lonely.gets("stores/berlin/forecasts/SKU-1") == with_redis[0]
        assert await lonely.trends() == with_redis[1]
    await nowhere.close()


@pytest.mark.parametrize(
    ("days", "name", "field"), [(92, None, "horizon_days"), (7, "x", "request_id")]
)
async def test_a_run_refuses_bad_fields(
    planner: Planner, days: int, name: str | None, field: str
) -> None:
    code, reason, _, fields = await refused(planner.runs(days, name))
    expected = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", [field])
    assert (code, reason, fields) == expected


@pytest.mark.parametrize("name", ["", "stores/berlin", "stores/-/forecasts/A", "berlin/A"])
async def test_a_forecast_has_a_full_name(planner: Planner, name: str) -> None:
    assert (await refused(planner.gets(name)))[3] == ["name"]
