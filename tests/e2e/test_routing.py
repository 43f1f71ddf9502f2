"""A signed-in planner reaches their own data in their home region, whichever edge they call."""

import grpc
import pytest

from tests.support.calls import CLIENTS, LIST_FORECASTS, LIST_LEVELS
from tests.support.world import EDGES, EU_PLANNER, US_PLANNER, World

PATHS = [LIST_LEVELS, LIST_FORECASTS]


def bearer(world: World, email: str) -> dict[str, str]:
    return {"authorization": f"Bearer {world.token(email)}"}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("edge", ["eu-central-1", "eu-west-1"])
def test_every_edge_of_the_jurisdiction_leads_home(
    world: World, client: str, path: str, edge: str
) -> None:
    found = CLIENTS[client](EDGES[edge], path, bearer(world, EU_PLANNER))
    assert found.code == grpc.StatusCode.OK
    assert found.headers["x-hemline-served-by"] == "eu-central-1"
    assert found.answer.ByteSize() > 0


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("email", "edge", "home"),
    [
        (EU_PLANNER, "us-east-1", "eu-central-1"),
        (US_PLANNER, "eu-central-1", "us-east-1"),
        (US_PLANNER, "eu-west-1", "us-east-1"),
    ],
)
def test_a_foreign_edge_says_where_to_go(
    world: World, client: str, path: str, email: str, edge: str, home: str
) -> None:
    found = CLIENTS[client](EDGES[edge], path, bearer(world, email))
    assert found.answer is None
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_REGION")
    assert found.metadata["home_region"] == home
    assert found.metadata["endpoint"] == f"http://127.0.0.1:{EDGES[home]}"
    assert "x-hemline-served-by" not in found.headers


def test_two_retailers_see_two_stocks(world: World) -> None:
    call = CLIENTS["grpc"]
    ours = call(EDGES["eu-central-1"], LIST_LEVELS, bearer(world, EU_PLANNER)).answer
    theirs = call(EDGES["us-east-1"], LIST_LEVELS, bearer(world, US_PLANNER)).answer
    names = [{level.name for level in answer.stock_levels} for answer in (ours, theirs)]
    assert names[0]
    assert names[1]
    assert names[0].isdisjoint(names[1])
