"""What is in fashion: trends net of the season, and popularity that counts what could be bought."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import numpy as np
import pytest
import pytest_asyncio
import redis.asyncio
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import trend_service_pb2 as pb
from hemline.forecast.v1 import trend_service_pb2_grpc as pb_grpc

from services.forecast.wire.servicers import trends
from tests.api.forecast.support import FIRST_DAY, Planner, refused, sales_line
from tests.support.api import Api

DAYS = 180
RISING, FADING, STEADY = "product-0", "product-1", "product-2"


def rate(sku: int, day: int) -> float:
    """SKU-0 triples in the last eight weeks, SKU-1 falls to a third."""
    late = day >= DAYS - 56
    return 8.0 * {0: 3.0, 1: 1 / 3}.get(sku, 1.0) ** late


class Watching(Planner):
    def __init__(self, running: Api, tenant_id: UUID) -> None:
        super().__init__(running, tenant_id)
        self.stub = pb_grpc.TrendServiceStub(running.channel)
        self.facts = attributes_grpc.AttributeServiceStub(running.channel)

    async def prepares(self) -> None:
        random, lines = np.random.default_rng(5), []
        for day in range(DAYS):
            for sku in range(6):
                for store in ("berlin", "paris"):
                    if units := int(random.poisson(rate(sku, day))):
                        fields = {
                            "store": store,
                            "sku": f"SKU-{sku}",
                            "product": f"product-{sku}",
                            "sale_date": (FIRST_DAY + timedelta(days=day)).isoformat(),
                            "units": units,
                        }
                        lines.append(sales_line(len(lines) + 1, **fields))
        await self.imports(lines)
        colours = [
            attributes_pb.AttributeLine(
                row=sku + 1,
                sku=f"SKU-{sku}",
                attributes={"colour": "navy" if sku % 2 else "white"},
            )
            for sku in range(6)
        ]

        async def messages() -> AsyncIterator[attributes_pb.ImportAttributesRequest]:
            yield attributes_pb.ImportAttributesRequest(request_id=str(uuid4()), lines=colours)

        await self.facts.ImportAttributes(messages(), metadata=self.metadata)

    async def sells_much(self, product: str) -> None:
        """Of SKU-2, in the last eight weeks."""
        days = [FIRST_DAY + timedelta(days=day) for day in range(DAYS - 56, DAYS)]
        lots = [
            sales_line(
                row,
                document=f"LOT-{row}",
                sku="SKU-2",
                product=product,
                sale_date=day.isoformat(),
                units=60,
            )
            for row, day in enumerate(days, start=1)
        ]
        await self.imports(lots)

    async def all(self, **fields: Any) -> pb.ListTrendsResponse:
        request = pb.ListTrendsRequest(**fields)
        return await self.stub.ListTrends(request, metadata=self.metadata)

    async def popular(self, **fields: Any) -> pb.ListPopularProductsResponse:
        request = pb.ListPopularProductsRequest(**fields)
        return await self.stub.ListPopularProducts(request, metadata=self.metadata)


@pytest_asyncio.fixture(scope="session")
async def watching(running: Api) -> Watching:
    made = Watching(running, uuid4())
    await made.prepares()
    return made


async def test_what_grows_is_rising_and_what_shrinks_is_fading(watching: Watching) -> None:
    trends = {trend.group: trend for trend in (await watching.all()).trends}
    assert len(trends) == 6
    assert trends[RISING].rank == 1
    assert trends[RISING].state == pb.TREND_STATE_RISING
    assert trends[FADING].rank == 6
    assert trends[FADING].state == pb.TREND_STATE_FADING
    assert trends[RISING].rising_probability > 0.95
    assert trends[FADING].rising_probability < 0.05
    for trend in trends.values():
        assert trend.growth_ratio_p10 < trend.growth_ratio < trend.growth_ratio_p90
    assert trends[RISING].recent_units > 2 * trends[RISING].previous_units
    points = trends[RISING].change_points
    assert points
    assert points[-1].ratio > 2
    assert points[-1].date == (FIRST_DAY + timedelta(days=DAYS - 56)).isoformat()


async def test_a_filter_leaves_out_and_a_group_is_an_attribute(watching: Watching) -> None:
    white = pb.SeriesFilter(attributes={"colour": "white"})
    found = await watching.all(filter=white)
    assert {trend.group for trend in found.trends} == {"product-0", "product-2", "product-4"}
    berlin = await watching.all(filter=pb.SeriesFilter(stores=["berlin"]))
    everywhere = {trend.group: trend.recent_units for trend in (await watching.all()).trends}
    assert all(0 < trend.recent_units < everywhere[trend.group] for trend in berlin.trends)
    colours = await watching.all(group_by="colour")
    assert {trend.group for trend in colours.trends} == {"navy", "white"}
    rising = await watching.all(states=[pb.TREND_STATE_RISING])
    assert [trend.group for trend in rising.trends] == [RISING]
    assert not (await watching.all(group_by="fabric")).trends


async def test_a_day_in_the_past_sees_nothing_of_what_came_after(watching: Watching) -> None:
    day = (FIRST_DAY + timedelta(days=DAYS - 57)).isoformat()
    found = await watching.all(as_of_date=day)
    assert found.as_of_date == day
    assert {trend.state for trend in found.trends}.isdisjoint(
        {pb.TREND_STATE_RISING, pb.TREND_STATE_FADING}
    )


async def test_pages_hold_each_group_once(watching: Watching) -> None:
    first = await watching.all(page_size=4)
    second = await watching.all(page_size=4, page_token=first.next_page_token)
    ranks = [trend.rank for trend in [*first.trends, *second.trends]]
    assert ranks == [1, 2, 3, 4, 5, 6]
    assert not second.next_page_token
    call = watching.all(page_size=4, page_token=first.next_page_token, group_by="colour")
    _, _, _, fields = await refused(call)
    assert fields == ["page_token"]


async def test_a_walk_goes_on_over_what_was_known_at_its_first_page(
    running: Api, redis_url: str
) -> None:
    planner = Watching(running, uuid4())
    await planner.prepares()
    first = await planner.all(page_size=4)
    popular = await planner.popular(page_size=4)
    later = (FIRST_DAY + timedelta(days=DAYS)).isoformat()
    await planner.imports([sales_line(1, document="LATER", sku="SKU-2", sale_date=later)])
    second = await planner.all(page_size=4, page_token=first.next_page_token)
    assert [trend.rank for trend in second.trends] == [5, 6]
    assert second.as_of_date == first.as_of_date < (await planner.all()).as_of_date
    rest = await planner.popular(page_size=4, page_token=popular.next_page_token)
    assert [one.rank for one in rest.products] == [5, 6]
    async with redis.asyncio.from_url(redis_url) as kept:
        await kept.delete(*[key async for key in kept.scan_iter(f"{planner.tenant_id}:trends:*")])
    over = planner.all(page_size=4, page_token=first.next_page_token)
    with pytest.raises(grpc.aio.AioRpcError, match="the walk is over; begin again without a token"):
        await over


async def test_popularity_ranks_by_what_is_sure(watching: Watching) -> None:
    found = (await watching.popular(days=56)).products
    assert found[0].group == RISING
    assert [one.rank for one in found] == list(range(1, 7))
    assert [one.rate_p10 for one in found] == sorted((one.rate_p10 for one in found), reverse=True)
    assert all(one.rate_p10 < one.rate for one in found)
    assert all(one.availability_share == 1 for one in found)
    stores = (await watching.popular(group_by="store")).products
    assert {one.group for one in stores} == {"berlin", "paris"}


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trends, "LOOK_SECONDS", 0.1)


@pytest.mark.usefixtures("looks_often")
async def test_a_watcher_is_told_of_what_changes(running: Api) -> None:
    planner = Watching(running, uuid4())
    await planner.prepares()
    stream = planner.stub.WatchTrends(pb.WatchTrendsRequest(), metadata=planner.metadata)
    first = await stream.read()
    assert len(first.trends) == 6
    await planner.sells_much(STEADY)
    second = await asyncio.wait_for(stream.read(), 20)
    assert STEADY in {trend.group for trend in second.trends}
    stream.cancel()


@pytest.mark.usefixtures("looks_often")
async def test_a_watcher_is_told_of_what_is_no_longer_among_the_strongest(running: Api) -> None:
    planner = Watching(running, uuid4())
    await planner.prepares()
    request = pb.WatchTrendsRequest(most=1)
    stream = planner.stub.WatchTrends(request, metadata=planner.metadata)
    assert [trend.group for trend in (await stream.read()).trends] == [RISING]
    await planner.sells_much(STEADY)
    second = await asyncio.wait_for(stream.read(), 20)
    assert [(trend.group, trend.rank) for trend in second.trends] == [(STEADY, 1), (RISING, 2)]
    stream.cancel()


async def test_without_sales_there_are_no_trends(running: Api) -> None:
    planner = Watching(running, uuid4())
    for call in (planner.all(), planner.popular()):
        code, reason, _, _ = await refused(call)
        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_SALES")


async def test_fields_that_break_their_rules_are_named(watching: Watching) -> None:
    wrong: dict[str, Any] = {
        "group_by": watching.all(group_by="No such"),
        "filter.stores": watching.all(filter=pb.SeriesFilter(stores=["-"])),
        "filter.attributes": watching.all(filter=pb.SeriesFilter(attributes={"": "x"})),
        "as_of_date": watching.all(as_of_date="yesterday"),
        "days": watching.popular(days=3),
        "page_size": watching.all(page_size=201),
    }
    for field, call in wrong.items():
        code, _, _, named = await refused(call)
        assert (code, named) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
