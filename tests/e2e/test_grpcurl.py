"""The README's commands: a planner's token, and grpcurl against each edge."""

import json
import re
import shutil
import subprocess

import pytest

from tests.support.world import EDGES, EU_PLANNER, World

# A field of each answer, as protobuf or as JSON spells it.
SERVICES = {
    "hemline.inventory.v1.InventoryService/ListStockLevels": "on_hand_units|onHandUnits",
    "hemline.forecast.v1.ForecastService/ListForecasts": "mean_units|meanUnits",
}


def curl(port: int, method: str, token: str) -> subprocess.CompletedProcess[str]:
    """Runs grpcurl where there is Go to install it with, else `buf curl`. Both by reflection."""
    header = ["-H", f"authorization: Bearer {token}"]
    if shutil.which("grpcurl"):
        command = ["grpcurl", "-v", "-plaintext", *header, f"127.0.0.1:{port}", method]
    else:
        plain = ["--protocol", "grpc", "--http2-prior-knowledge", "-v", "--reflect-header", "*"]
        command = ["buf", "curl", *plain, *header, f"http://127.0.0.1:{port}/{method}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("method", SERVICES)
@pytest.mark.parametrize("edge", ["eu-central-1", "eu-west-1"])
def test_the_planner_lists_their_own(world: World, method: str, edge: str) -> None:
    done = curl(EDGES[edge], method, world.token(EU_PLANNER))
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    assert "x-hemline-served-by: eu-central-1" in shown.lower()
    assert re.search(SERVICES[method], shown)


@pytest.mark.parametrize("method", SERVICES)
def test_the_foreign_edge_names_the_home(world: World, method: str) -> None:
    done = curl(EDGES["us-east-1"], method, world.token(EU_PLANNER))
    assert done.returncode != 0
    shown = done.stdout + done.stderr
    assert "eu-central-1" in shown
    assert "WRONG_REGION" in shown or "FailedPrecondition" in shown


@pytest.mark.parametrize("edge", EDGES)
def test_nobody_gets_in_without_a_token(edge: str) -> None:
    done = curl(EDGES[edge], next(iter(SERVICES)), "")
    assert done.returncode != 0
    assert "unauthenticated" in (done.stdout + done.stderr).lower()


def test_the_token_says_where_home_is(world: World) -> None:
    shown = world.run("token", "inspect", world.token(EU_PLANNER), "--json").stdout
    claims = json.loads(shown)
    assert "eu-central-1" in json.dumps(claims)
