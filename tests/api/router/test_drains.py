"""What a drain does to calls, at real edges: so many percent of them go to the sibling."""

import asyncio
import time
from collections import Counter

import grpc
import pytest

from services.router.policy import Policy
from tests.api.router.mesh import GET_STOCK, Mesh

HOME, SIBLING = "eu-central-1", "eu-west-1"
CALLS = 300
SECONDS = 10.0
NOBODY = "RESIDENCY_NO_HEALTHY_REGION"


async def served(mesh: Mesh, calls: int = CALLS) -> Counter[str]:
    """Regions that served so many calls of tenants of `HOME`, half of them at each edge.

    All backends live in this one process: while it makes a snapshot, all may look ill for a moment.
    Then the answer asks for another try. That a drain loses no call where every service has a
    process of its own is shown by `make prove-drain`.
    """
    token = mesh.token(HOME)
    found: Counter[str] = Counter()
    deadline = time.monotonic() + SECONDS
    for number in range(calls):
        edge = (HOME, SIBLING)[number % 2]
        answer = await mesh.grpc(edge, GET_STOCK, token)
        while answer.reason == NOBODY and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            answer = await mesh.grpc(edge, GET_STOCK, token)
        assert answer.code is grpc.StatusCode.OK
        found[answer.headers["x-hemline-served-by"]] += 1
    return found


@pytest.mark.parametrize("fragile", ["DELTA_GRPC", "GRPC"], indirect=True)
async def test_a_drain_in_steps_takes_off_what_it_says(fragile: Mesh) -> None:
    for percent in (1, 50, 100, 50, 0):
        for region in fragile.regions.values():
            assert region.publisher.update(policies={"EU": Policy(drained={HOME: percent})})
        deadline = time.monotonic() + SECONDS
        # Four standard deviations of a fair coin around it.
        while abs((taken := (await served(fragile))[SIBLING]) / CALLS - percent / 100) > 0.12:
            assert time.monotonic() < deadline, f"{taken} of {CALLS} calls at {percent} percent"
            await asyncio.sleep(0.2)
        assert percent or not taken
