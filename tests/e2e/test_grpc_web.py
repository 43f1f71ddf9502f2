"""A browser's client, Connect-Web's gRPC-Web transport under Node, sees what a gRPC client sees."""

import http.client
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.calls import LIST_LEVELS
from tests.support.world import EDGES, EU_PLANNER, World

WEB = Path(__file__).parent / "web"
ROOT = Path(__file__).parents[2]
ORIGIN = "http://localhost:5173"


@pytest.fixture(scope="module")
def browse(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    descriptors = tmp_path_factory.mktemp("web") / "hemline.binpb"
    subprocess.run(["buf", "build", "-o", str(descriptors)], cwd=ROOT, check=True)

    def call(edge: str, service: str, method: str, token: str = "") -> Any:
        url = f"http://127.0.0.1:{EDGES[edge]}"
        command = ["node", "call.mjs", str(descriptors), url, service, method, token]
        done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return call


@pytest.mark.parametrize("edge", ["eu-central-1", "eu-west-1"])
def test_the_list_is_the_same_as_over_grpc(
    world: World, browse: Callable[..., Any], edge: str
) -> None:
    found = browse(
        edge, "hemline.inventory.v1.InventoryService", "listStockLevels", world.token(EU_PLANNER)
    )
    assert len(found["answer"]["stockLevels"]) == 50
    assert found["headers"]["x-hemline-served-by"] == "eu-central-1"


def test_an_error_keeps_its_code_and_message(browse: Callable[..., Any]) -> None:
    found = browse("eu-central-1", "hemline.inventory.v1.InventoryService", "listStockLevels")
    assert found["code"] == "Unauthenticated"


def test_a_foreign_edge_redirects(world: World, browse: Callable[..., Any]) -> None:
    found = browse(
        "us-east-1", "hemline.forecast.v1.ForecastService", "listForecasts", world.token(EU_PLANNER)
    )
    assert found["code"] == "FailedPrecondition"
    assert "eu-central-1" in found["message"]


def preflight(origin: str) -> dict[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", EDGES["eu-central-1"], timeout=10)
    connection.request(
        "OPTIONS",
        LIST_LEVELS,
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-grpc-web,grpc-timeout",
        },
    )
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    return found | {"status": str(response.status)}


def test_a_preflight_of_our_page_passes_without_a_token() -> None:
    found = preflight(ORIGIN)
    assert found["status"] == "200"
    assert found["access-control-allow-origin"] == ORIGIN
    allowed = found["access-control-allow-headers"].replace(" ", "").split(",")
    assert {"authorization", "content-type", "x-grpc-web", "grpc-timeout"} <= set(allowed)


def test_a_preflight_of_a_strange_page_does_not() -> None:
    assert "access-control-allow-origin" not in preflight("http://evil.example")
