"""A region drained under load, in steps and at once, and its return. Then a poison pill.

    make prove-drain

Reads and writes come in through both edges of the jurisdiction; the client retries nothing. The
poison pill is a method that every backend answers UNAVAILABLE: it must cost nobody else anything.
"""

import asyncio
import time
from typing import Any

import grpc

from proofs import report
from proofs.lab import admin
from proofs.lab.lab import Lab, lab
from proofs.lab.load import GET_STOCK, RECORD, Call, Load, Way
from proofs.lab.operations import Operator
from proofs.lab.plan import Shape

RATE = 200.0
REGION, SIBLING = "eu-central-1", "eu-west-1"
STEPS = (1, 10, 50, 100)
"""Percent, one after the other; the way back is the same."""

STEP_SECONDS = 4.0
TAKEN_OFF_ERROR = 12.0
"""Percent: five standard deviations of half of the calls of a step."""

POISON = "/hemline.inventory.v1.InventoryService/ListStockLevels"
POISON_SECONDS = 15.0
EJECTIONS = r"outlier_detection\.ejections_enforced_total$"
WAYS = [Way(edge, home) for edge in (REGION, SIBLING) for home in (REGION, SIBLING)]


async def effective(load: Load, begun: float, share: int, watched: float) -> float:
    """Seconds from ``begun`` until so much percent of the region's calls are taken off it.

    For 0 and 100 percent, where every call tells: until the last that went the old way.
    """
    await asyncio.sleep(watched)
    calls = [call for call in load.calls if call.way.home == REGION and call.due >= begun]
    wanted = SIBLING if share == report.PERCENT else REGION
    return max((call.due - begun for call in calls if call.served_by != wanted), default=0.0)


async def steps(load: Load, operator: Operator) -> dict[str, Any]:
    """Drains in steps and back. Returns the percent that was seen to be taken off at each."""
    seen: dict[str, float] = {}
    for percent in STEPS:
        await operator.drain(REGION, percent)
        seen[f"down_{percent}"] = await _taken_off(load)
    for percent in (*STEPS[-2::-1], 0):
        await operator.undrain(REGION, percent)
        seen[f"up_{percent}"] = await _taken_off(load)
    return seen


async def _taken_off(load: Load) -> float:
    await asyncio.sleep(1)  # Effective by then.
    begun = time.monotonic()
    await asyncio.sleep(STEP_SECONDS)
    calls = [one for one in load.calls if one.way.home == REGION and one.due >= begun]
    away = sum(call.served_by == SIBLING for call in calls)
    return round(report.PERCENT * away / max(1, len(calls)), 1)


def _error(seen: dict[str, float]) -> float:
    """The most by which what was seen differs from what was asked for, in percent of all calls."""
    return max(abs(taken - int(name.rpartition("_")[2])) for name, taken in seen.items())


async def at_once(
    load: Load, operator: Operator, watched: float = STEP_SECONDS
) -> dict[str, float]:
    """Takes all of its calls off the region, and gives them back, each ``watched`` for so long."""
    begun = time.monotonic()
    await operator.drain(REGION, report.PERCENT)
    drained = await effective(load, begun, report.PERCENT, watched)
    begun = time.monotonic()
    await operator.undrain(REGION)
    returned = await effective(load, begun, 0, watched)
    return {
        "drain_effective_s": report.rounded(drained),
        "undrain_effective_s": report.rounded(returned),
    }


async def drained(made: Lab, rate: float) -> tuple[list[Call], dict[str, Any]]:
    load = Load(made, WAYS, rate, paths=[GET_STOCK, GET_STOCK, RECORD])
    operator = Operator(made, REGION)
    async with load.running():
        await operator.ready(REGION)
        seen = await steps(load, operator)
        times = await at_once(load, operator)
    return load.take(), {"taken_off_percent": seen, "taken_off_error": _error(seen), **times}


async def poisoned(made: Lab, rate: float, seconds: float) -> tuple[list[Call], dict[str, Any]]:
    """Every fourth call is the poison pill. Returns the other calls."""
    before = await _ejections(made)
    load = Load(made, WAYS, rate, paths=[POISON, GET_STOCK, GET_STOCK, RECORD])
    async with load.running():
        await asyncio.sleep(seconds)
    calls = load.take()
    pills = [call for call in calls if call.path == POISON]
    others = [call for call in calls if call.path != POISON]
    assert all(call.code is grpc.StatusCode.UNAVAILABLE for call in pills)
    return others, {
        "ejected": await _ejections(made) - before,
        "poisoned_calls": len(pills),
        "healthy_calls": len(others),
        "healthy_calls_served_away": sum(call.served_by != call.way.home for call in others),
    }


async def _ejections(made: Lab) -> int:
    edges = [region.edge_admin for region in made.plan.regions.values()]
    return sum([await admin.total(address, EJECTIONS) for address in edges])


async def prove(seconds: float, rate: float = RATE) -> dict[str, Any]:
    async with lab(Shape(suite=True, poison=POISON)) as made:
        drain_calls, drain_figures = await drained(made, rate)
        healthy_calls, poison_figures = await poisoned(made, rate, seconds)
    calls = drain_calls + healthy_calls
    for call in calls:
        if not call.ok:
            report.note(
                f"lost: {call.way} {call.path} {call.code.name} {call.reason} {call.detail}"
            )
    return {
        "failed": sum(not call.ok for call in calls),
        "calls": len(calls),
        "outside_jurisdiction": sum(call.foreign for call in calls),
        **poison_figures,
        **drain_figures,
    }


PROMISE = report.Promise(
    at_most={
        "failed": 0,
        "outside_jurisdiction": 0,
        "ejected": 0,
        "healthy_calls_served_away": 0,
        "taken_off_error": TAKEN_OFF_ERROR,
    }
)


if __name__ == "__main__":
    report.run(prove(report.seconds(POISON_SECONDS)), PROMISE)
