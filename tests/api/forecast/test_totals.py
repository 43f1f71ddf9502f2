"""Totals over days and over groups agree with the forecasts that they are made of."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import LiteralString
from uuid import UUID, uuid4

import grpc
import psycopg
import pytest
import pytest_asyncio
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import forecast_service_pb2 as pb
from hemline.forecast.v1 import job_service_pb2 as jobs_pb
from hemline.forecast.v1 import override_service_pb2 as override_pb
from hemline.forecast.v1 import override_service_pb2_grpc as override_grpc

from deploy.local.postgres import Postgres
from services.forecast.jobs import reading
from services.forecast.wire.servicers import forecasts as servicer
from tests.api.forecast.support import Planner, refused, season
from tests.api.forecast.test_jobs import create, ended
from tests.support.api import Api

HORIZON, SKUS = 14, 6
NAME = "stores/berlin/forecasts/SKU-3"
CATEGORIES = {"SKU-0": "tee", "SKU-1": "tee", "SKU-2": "coat", "SKU-3": "coat", "SKU-4": "coat"}
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


class Totalling(Planner):
    """A planner whose run came of several shards."""

    def __init__(self, running: Api, tenant_id: UUID) -> None:
        super().__init__(running, tenant_id)
        self.facts = attributes_grpc.AttributeServiceStub(running.channel)
        self.overrides = override_grpc.OverrideServiceStub(running.channel)

    async def describes(self) -> None:
        lines = [
            attributes_pb.AttributeLine(row=row, sku=sku, attributes={"category": category})
            for row, (sku, category) in enumerate(CATEGORIES.items(), start=1)
        ]

        async def messages() -> AsyncIterator[attributes_pb.ImportAttributesRequest]:
            yield attributes_pb.ImportAttributesRequest(request_id=str(uuid4()), lines=lines)

        await self.facts.ImportAttributes(messages(), metadata=self.metadata)

    async def totals(self, days: int, name: str = NAME) -> pb.DemandTotal:
        request = pb.GetDemandTotalRequest(name=name, days=days)
        return (await self.forecasts.GetDemandTotal(request, metadata=self.metadata)).total

    async def adds_up(self, level: str, size: int = 0) -> list[pb.Aggregate]:
        found: list[pb.Aggregate] = []
        request = pb.ListAggregatesRequest(level=level, page_size=size)
        while True:
            page = await self.forecasts.ListAggregates(request, metadata=self.metadata)
            found += page.aggregates
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    async def streams(self, parent: str = "") -> list[pb.StreamForecastsResponse]:
        request = pb.StreamForecastsRequest(parent=parent)
        stream = self.forecasts.StreamForecasts(request, metadata=self.metadata)
        return [message async for message in stream]


@pytest_asyncio.fixture(scope="session")
async def planner(running: Api) -> Totalling:
    made = Totalling(running, uuid4())
    await made.imports(season(skus=SKUS))
    await made.describes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "MOST_SERIES", 5)
        await made.runs(horizon_days=HORIZON)
    return made


def spoil(server: Postgres, planner: Planner, statement: LiteralString) -> None:
    """Changes a tenant's rows as nobody but the superuser may."""
    with psycopg.connect(server.url("postgres", "forecast")) as connection:
        connection.execute(statement, (planner.tenant_id,))


def units(days: object) -> list[float]:
    return [day.mean_units for day in days]  # type: ignore[attr-defined]


async def test_a_total_is_the_sum_of_the_means_and_grows_by_the_day(planner: Totalling) -> None:
    forecast = await planner.gets(NAME)
    found = [await planner.totals(days) for days in range(1, HORIZON + 1)]
    for days, total in enumerate(found, start=1):
        assert total.mean_units == pytest.approx(sum(units(forecast.days[:days])), rel=1e-6)
        assert total.end_date == forecast.days[days - 1].date
        assert total.p10_units <= total.p50_units <= total.p90_units
    for name in ("p10_units", "p50_units", "p90_units"):
        values = [getattr(total, name) for total in found]
        assert values == sorted(values)
        assert values[0] == getattr(forecast.days[0], name)  # One day is no total.
    # Good days and bad ones make up for each other.
    width = found[-1].p90_units - found[-1].p10_units
    assert 0 < width < 0.8 * sum(day.p90_units - day.p10_units for day in forecast.days)
    assert found[-1].p10_units < found[-1].mean_units < found[-1].p90_units


async def test_what_planners_changed_moves_the_total(planner: Totalling) -> None:
    name = "stores/paris/forecasts/SKU-4"
    before = [await planner.totals(days, name) for days in (7, HORIZON)]
    start = date.fromisoformat(before[0].start_date)
    override = override_pb.Override(
        subject=override_pb.OverrideSubject(store="paris", sku="SKU-4"),
        start_date=start.isoformat(),
        end_date=(start + timedelta(days=6)).isoformat(),
        factor=2.0,
        reason="a fair",
    )
    request = override_pb.CreateOverrideRequest(override=override, request_id=str(uuid4()))
    made = (await planner.overrides.CreateOverride(request, metadata=planner.metadata)).override
    week, whole = [await planner.totals(days, name) for days in (7, HORIZON)]
    assert week.mean_units == pytest.approx(2 * before[0].mean_units, rel=1e-5)
    assert week.p90_units == pytest.approx(2 * before[0].p90_units, rel=1e-5)
    assert week.system_mean_units == before[0].system_mean_units == before[0].mean_units
    assert whole.mean_units == pytest.approx(before[1].mean_units + before[0].mean_units, rel=1e-5)
    assert list(week.overrides) == [made.name]


async def test_every_level_adds_up_to_the_same(planner: Totalling) -> None:
    forecasts = [forecast for page in await planner.streams() for forecast in page.forecasts]
    assert len({forecast.product for forecast in forecasts}) == SKUS
    each = [[day.system_mean_units for day in forecast.days] for forecast in forecasts]
    daily = [sum(column) for column in zip(*each, strict=True)]
    (total,) = await planner.adds_up("total")
    assert units(total.days) == pytest.approx(daily, rel=1e-6)
    assert total.horizon_mean_units == pytest.approx(sum(daily), rel=1e-6)
    for level, groups in (("store", {"berlin", "paris"}), ("category", {"tee", "coat", ""}),
                          ("product", {f"product-{sku}" for sku in range(SKUS)})):  # fmt: skip
        found = await planner.adds_up(level)
        assert {group.group for group in found} == groups
        summed = [sum(column) for column in zip(*(units(g.days) for g in found), strict=True)]
        assert summed == pytest.approx(units(total.days), rel=1e-9)
        sizes = [group.horizon_mean_units for group in found]
        assert sizes == sorted(sizes, reverse=True)
    coats = [group for group in await planner.adds_up("category") if group.group == "coat"]
    own = [f.days for f in forecasts if CATEGORIES.get(f.sku) == "coat"]
    assert coats[0].days[0].mean_units == pytest.approx(
        sum(days[0].system_mean_units for days in own), rel=1e-6
    )


async def test_the_range_of_a_sum_is_narrower_than_the_sum_of_ranges(planner: Totalling) -> None:
    (total,) = await planner.adds_up("total")
    stores = await planner.adds_up("store")
    for day, parts in zip(total.days, zip(*(s.days for s in stores), strict=True), strict=True):
        assert day.p10_units <= day.p50_units <= day.p90_units
        if day.mean_units > 1:  # Open.
            widest = sum(part.p90_units - part.p10_units for part in parts)
            assert 0 < day.p90_units - day.p10_units < 1.15 * widest
    low, high = total.horizon_p10_units, total.horizon_p90_units
    assert low < total.horizon_mean_units < high
    assert high - low < 0.8 * sum(day.p90_units - day.p10_units for day in total.days)


async def test_groups_are_listed_a_page_at_a_time(planner: Totalling) -> None:
    whole = await planner.adds_up("product")
    assert await planner.adds_up("product", size=2) == whole
    assert await planner.adds_up("style") == []  # Nobody said of which style anything is.


async def test_a_stream_holds_every_forecast_once_in_order(
    planner: Totalling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servicer, "BATCH", 4)
    messages = await planner.streams()
    assert [len(message.forecasts) for message in messages] == [4, 4, 4, 0]
    names = [forecast.name for message in messages for forecast in message.forecasts]
    assert names == sorted(names)
    assert len({message.forecast_run.name for message in messages}) == 1
    assert messages[0].forecasts[0] == await planner.gets(names[0])
    berlin = [f.name for page in await planner.streams("stores/berlin") for f in page.forecasts]
    assert berlin == [name for name in names if name.startswith("stores/berlin/")]


async def test_a_stream_whose_run_is_gone_does_not_end_as_if_whole(
    running: Api, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servicer, "BATCH", 1)
    planner = Totalling(running, uuid4())
    await planner.imports(season(days=10, skus=200))
    await planner.runs()
    request = pb.StreamForecastsRequest()
    stream = aiter(planner.forecasts.StreamForecasts(request, metadata=planner.metadata))
    await anext(stream)
    spoil(server, planner, "UPDATE forecast_run SET partitioned = false WHERE tenant_id = %s")

    async def rest() -> None:
        async for _ in stream:
            pass

    assert (await refused(rest()))[:2] == (grpc.StatusCode.ABORTED, "RUN_GONE")


async def test_weeks_are_rounded_up(running: Api) -> None:
    planner = Totalling(running, uuid4())
    await planner.imports(season())
    spec = jobs_pb.JobSpec(
        kind=jobs_pb.JOB_KIND_FORECAST, period=jobs_pb.FORECAST_PERIOD_WEEK, horizon=3
    )
    await ended(planner, (await create(planner, spec)).name)
    one, two = [await planner.totals(days) for days in (1, 8)]
    first, second, _ = (await planner.gets(NAME)).days
    assert (one.end_date, two.end_date) == (first.date, second.date)
    assert two.mean_units == pytest.approx(first.mean_units + second.mean_units, rel=1e-6)
    assert one == await planner.totals(7)
    assert (await refused(planner.totals(22)))[3] == ["days"]


async def test_a_run_of_the_version_before_has_no_totals(running: Api, server: Postgres) -> None:
    planner = Totalling(running, uuid4())
    assert (await refused(planner.totals(1)))[1] == "NO_RUN"
    await planner.imports(season(days=20))
    await planner.runs()
    spoil(server, planner, "UPDATE forecast_series SET total_p10 = NULL WHERE tenant_id = %s")
    spoil(server, planner, "DELETE FROM forecast_aggregate WHERE tenant_id = %s")
    for call in (planner.totals(1), planner.adds_up("total")):
        assert (await refused(call))[:2] == (PRECONDITION, "NO_TOTALS")


async def test_fields_are_checked(planner: Totalling) -> None:
    for days in (0, HORIZON + 1):
        assert (await refused(planner.totals(days)))[3] == ["days"]
    assert (await refused(planner.totals(1, "stores/berlin")))[3] == ["name"]
    missing = planner.totals(1, "stores/berlin/forecasts/NOT-THERE")
    assert (await refused(missing))[1] == "FORECAST_NOT_FOUND"
    assert (await refused(planner.adds_up("colour")))[3] == ["level"]
    assert (await refused(planner.streams("shops/berlin")))[3] == ["parent"]


@pytest.mark.usefixtures("planner")
async def test_tenants_do_not_see_each_others_totals(running: Api) -> None:
    other = Totalling(running, uuid4())
    for call in (other.totals(1), other.adds_up("total"), other.streams()):
        assert (await refused(call))[:2] == (PRECONDITION, "NO_RUN")
