"""What a drain does to calls, at real edges: so many percent of them go to the sibling."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest

from services.router.policy import Policy
from tests.api.router.mesh import GET_STOCK, Mesh

HOME, SIBLING = "eu-central-1", "eu-west-1"
CALLS = 300
AT_ONCE = 10
SECONDS = 10.0
NOBODY = "RESIDENCY_NO_HEALTHY_REGION"


async def served(mesh: Mesh, calls: int = CALLS) -> Counter[str]:
    """Regions that served so many calls of tenants of `HOME`, half of them at each edge.

    All backends live in this one process: while it makes a snapshot, all may look ill for a moment.
    Then the answer asks for another try. That a drain loses no call where every service has a
    process of its own is shown by `make prove-drain`.
    """
    metadata = (("authorization", f"Bearer {mesh.token(HOME)}"),)
    deadline = time.monotonic() + SECONDS

    async def call(method: Any) -> str:
        while True:
            calling = method(b"", metadata=metadata, timeout=SECONDS)
            try:
                await calling
            except grpc.aio.AioRpcError as error:
                nobody = NOBODY in str(error.trailing_metadata())
                if not nobody or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
            else:
                return str(dict(await calling.initial_metadata())["x-hemline-served-by"])

    found: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        methods: list[Any] = []
        for edge in (HOME, SIBLING):
            opened = grpc.aio.insecure_channel(str(mesh.endpoints[edge].edge))
            channel = await stack.enter_async_context(opened)
            methods.append(channel.unary_unary(GET_STOCK))
        for _ in range(calls // AT_ONCE):
            batch = (call(methods[number % 2]) for number in range(AT_ONCE))
            found.update(await asyncio.gather(*batch))
    return found


@pytest.mark.parametrize("fragile", ["DELTA_GRPC", "GRPC"], indirect=True)
async def test_a_drain_in_steps_takes_off_what_it_says(fragile: Mesh) -> None:
    for percent in (1, 50, 100, 50, 0):
        for region in fragile.regions.values():
            assert region.publisher.update(policies={"EU": Policy(drained={HOME: percent})})
        deadline = time.monotonic() + SECONDS
        while not _fits(taken := (await served(fragile))[SIBLING], percent):
            assert time.monotonic() < deadline, f"{taken} of {CALLS} calls at {percent} percent"
            await asyncio.sleep(0.2)


def _fits(taken: int, percent: int) -> bool:
    """Whether it is within four standard deviations of a fair coin; exactly so without a drain."""
    return abs(taken / CALLS - percent / 100) <= 0.12 if percent else not taken
