"""Every router is killed under load, for minutes: nobody notices. Then they come back.

    make prove-static-stability SECONDS=600

Once they are back, a change must be effective within a second. Last, 500 simulated proxies converge
on a rotated key (`proofs.fanout`).
"""

import asyncio
import time
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from proofs import fanout, report
from proofs.lab.lab import Lab, lab
from proofs.lab.load import GET_STOCK, RECORD, Load, Way, percentile
from proofs.lab.operations import Operator
from proofs.lab.plan import Shape

SECONDS = 600.0
RATE = 200.0
BACK_SECONDS = 60.0
TRY_SECONDS = 0.05
EFFECTIVE_SECONDS = 5.0
REGION, SIBLING, FOREIGN = "eu-central-1", "eu-west-1", "us-east-1"
WAYS = [
    *(Way(edge, home) for edge in (REGION, SIBLING) for home in (REGION, SIBLING)),
    Way(FOREIGN, FOREIGN),
]


async def without_routers(made: Lab, seconds: float) -> None:
    """Kills every router, and starts all of them again after ``seconds``."""
    routers = [router for region in made.regions.values() for router in region.routers]
    for router in routers:
        router.kill()
    with report.progress("seconds without routers", seconds) as bar:
        for _ in range(int(seconds)):
            await asyncio.sleep(1)
            bar.advance()
    for router in routers:
        router.start()


async def change(made: Lab, load: Load) -> dict[str, float]:
    """Drains a region as soon as its routers are back.

    Returns:
        Seconds from the first SERVING of a router until the routers know of every sibling's health,
        without which they drain nobody, and from the change to the last call that still went the
        old way.
    """
    serving = await _serving(made.plan.regions[REGION].routers[0])
    operator = Operator(made, REGION)
    await operator.ready(REGION)
    ready = time.monotonic()
    await operator.drain(REGION, report.PERCENT)
    await asyncio.sleep(EFFECTIVE_SECONDS)
    old_way = [
        call.due - ready
        for call in load.calls
        if call.way.home == REGION and call.served_by == REGION and call.due >= ready
    ]
    effective = max(old_way, default=0.0)
    return {
        "health_known_s": report.rounded(ready - serving),
        "effective_s": report.rounded(effective),
        "effective_since_serving_s": report.rounded(ready - serving + effective),
    }


async def _serving(address: str) -> float:
    """Waits until the router there says SERVING. Returns when, in monotonic seconds."""
    async with asyncio.timeout(BACK_SECONDS), grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        while True:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=1)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(TRY_SECONDS)
                continue
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return time.monotonic()


async def prove(seconds: float, rate: float = RATE) -> dict[str, Any]:
    async with lab(Shape(suite=True)) as made:
        load = Load(made, WAYS, rate, paths=[GET_STOCK, GET_STOCK, RECORD])
        async with load.running():
            await asyncio.sleep(1)
            await without_routers(made, seconds)
            times = await change(made, load)
    for problem, count in load.tally.problems.items():
        report.note(f"failed {count}: {problem}")
    return {
        "failed": load.tally.failed,
        "calls": load.tally.calls,
        "outside_jurisdiction": load.tally.foreign,
        "seconds_without_routers": seconds,
        **times,
        "converge_p99_ms": report.rounded(percentile(await fanout.converge(), 0.99)),
    }


PROMISE = report.Promise(
    at_most={"failed": 0, "outside_jurisdiction": 0, "effective_s": 1.0, "converge_p99_ms": 500}
)


if __name__ == "__main__":
    report.run(prove(report.seconds(SECONDS)), PROMISE)
