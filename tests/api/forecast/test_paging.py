import base64
import json
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from hemline.forecast.v1 import forecast_service_pb2 as pb

from tests.api.forecast.support import Planner, refused, season
from tests.support.api import Api


@pytest_asyncio.fixture(scope="session")
async def forecast(running: Api) -> Planner:
    """Someone whose ten series are forecast, to be read only."""
    return await forecast_of(Planner(running, uuid4()))


async def forecast_of(planner: Planner) -> Planner:
    await planner.imports(season(days=60, skus=5))
    await planner.runs()
    return planner


async def walk(planner: Planner, **fields: Any) -> list[pb.Forecast]:
    found: list[pb.Forecast] = []
    token = ""
    while True:
        page = await planner.lists(page_token=token, **fields)
        found.extend(page.forecasts)
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("page_size", [1, 3, 10, 200])
@pytest.mark.parametrize("order_by", ["", "name", "horizon_mean_units desc"])
async def test_pages_show_each_forecast_once_in_order(
    forecast: Planner, page_size: int, order_by: str
) -> None:
    found = await walk(forecast, page_size=page_size, order_by=order_by)
    expected = [
        f"stores/{store}/forecasts/SKU-{n}" for store in ("berlin", "paris") for n in range(5)
    ]
    if order_by.startswith("horizon"):
        units = [each.horizon_mean_units for each in found]
        assert units == sorted(units, reverse=True)
        assert sorted(each.name for each in found) == expected
    else:
        assert [each.name for each in found] == expected


async def test_a_parent_limits_the_list_to_its_store(forecast: Planner) -> None:
    paris = await walk(forecast, parent="stores/paris", page_size=2)
    assert [each.name for each in paris] == [f"stores/paris/forecasts/SKU-{n}" for n in range(5)]
    assert await walk(forecast, parent="stores/rome") == []
    assert len(await walk(forecast, parent="stores/-")) == 10


async def test_a_walk_stays_with_the_run_it_began_with(planner: Planner) -> None:
    forecast = await forecast_of(planner)
    first = await forecast.lists(page_size=2)
    await forecast.runs()
    second = await forecast.lists(page_size=200, page_token=first.next_page_token)
    assert second.forecast_run == first.forecast_run
    runs = {each.run for page in (first, second) for each in page.forecasts}
    assert runs == {first.forecast_run.name}
    assert len(first.forecasts) + len(second.forecasts) == 10


async def test_a_walk_ends_with_a_reason_when_its_run_is_gone(planner: Planner) -> None:
    forecast = await forecast_of(planner)
    first = await forecast.lists(page_size=2)
    trends = await forecast.trends(page_size=2)
    for _ in range(3):
        await forecast.runs()
    for call in (
        forecast.lists(page_size=2, page_token=first.next_page_token),
        forecast.trends(page_size=2, page_token=trends.next_page_token),
    ):
        assert (await refused(call))[3] == ["page_token"]


@pytest.mark.parametrize(
    "changed", [{"parent": "stores/paris"}, {"order_by": "horizon_mean_units desc"}]
)
async def test_a_token_belongs_to_its_request(forecast: Planner, changed: dict[str, str]) -> None:
    token = (await forecast.lists(page_size=2)).next_page_token
    assert (await refused(forecast.lists(page_token=token, **changed)))[3] == ["page_token"]


async def test_a_forged_token_is_refused_not_a_bug(forecast: Planner) -> None:
    token = (await forecast.lists(page_size=2)).next_page_token
    shape, run, *_ = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    for forged in ([shape, run, "a\0b", "X"], [shape, 10**30, "berlin", "X"], [shape, run, 1, 2]):
        made = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
        assert (await refused(forecast.lists(page_token=made)))[3] == ["page_token"]
    trends = await forecast.trends(page_size=2)
    token = trends.next_page_token
    shape, run, _ = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    made = base64.urlsafe_b64encode(json.dumps([shape, run, 10**30]).encode()).decode()
    call = forecast.trends(page_size=2, page_token=made.rstrip("="))
    assert (await refused(call))[3] == ["page_token"]


async def test_trends_are_paged_by_rank(forecast: Planner) -> None:
    first = await forecast.trends(page_size=2)
    second = await forecast.trends(page_size=200, page_token=first.next_page_token)
    ranks = [each.rank for page in (first, second) for each in page.trending_products]
    assert ranks == [1, 2, 3, 4, 5]
    assert second.next_page_token == ""


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"page_size": 201}, "page_size"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "!"}, "page_token"),
        ({"parent": "berlin"}, "parent"),
        ({"parent": "stores/"}, "parent"),
        ({"order_by": "sku"}, "order_by"),
    ],
)
async def test_a_list_refuses_bad_fields(
    forecast: Planner, fields: dict[str, Any], wrong: str
) -> None:
    assert (await refused(forecast.lists(**fields)))[3] == [wrong]
