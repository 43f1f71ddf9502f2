"""With no router running, calls go on as if nothing had happened."""

import os
import signal
from collections.abc import Iterator

import grpc
import pytest

from tests.support.calls import CLIENTS, LIST_FORECASTS, LIST_LEVELS
from tests.support.world import EDGES, EU_PLANNER, US_PLANNER, World


@pytest.fixture
def no_routers(world: World) -> Iterator[None]:
    """Freezes every router: to Envoy it is as good as dead, and the supervisor leaves it alone."""
    routers = [part["pid"] for part in world.status()["parts"] if part["name"].endswith("/router")]
    assert len(routers) == 3
    for pid in routers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in routers:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.usefixtures("no_routers")
@pytest.mark.parametrize("client", CLIENTS)
def test_calls_are_answered_without_routers(world: World, client: str) -> None:
    for email, edge in [(EU_PLANNER, "eu-west-1"), (US_PLANNER, "us-east-1")]:
        headers = {"authorization": f"Bearer {world.token(email)}"}
        for path in (LIST_LEVELS, LIST_FORECASTS):
            for _ in range(20):
                assert CLIENTS[client](EDGES[edge], path, headers).code == grpc.StatusCode.OK
