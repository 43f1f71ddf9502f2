"""Faults under load: nothing is lost, nothing leaves the jurisdiction, the sibling answers soon.

    make prove-failover COUNT=40

COUNT faults without added latency, COUNT with the topology's round trips between regions, under 200
reads a second through edge, mTLS and sidecar. The client retries nothing. Then the whole
jurisdiction dies.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc

from proofs import report
from proofs.lab import foreign
from proofs.lab.faults import Fault, Kind, cycle_of
from proofs.lab.lab import Lab, lab
from proofs.lab.load import Call, Load, Way, percentile
from proofs.lab.plan import Shape

FAULTS = 40
RATE = 200.0
SETTLES_SECONDS = 0.5  # Calls by the ways of the fault before have ended.
LASTS_SECONDS = 2.5
RECOVERED_SECONDS = 15.0
DEAD_SECONDS = 5.0
NOTICED_SECONDS = 1.0
REASON = "RESIDENCY_NO_HEALTHY_REGION"
EU, US = "EU", "US"


@dataclass
class Seen:
    """What faults have cost."""

    first_answers: dict[Kind, list[float]] = field(default_factory=dict)  # Seconds.
    slowest: dict[Kind, float] = field(default_factory=dict)  # Seconds, of calls during the fault.
    calls: Counter[Kind] = field(default_factory=Counter)
    lost: Counter[Kind] = field(default_factory=Counter)
    outside: int = 0

    @property
    def all_first(self) -> list[float]:
        return [one for found in self.first_answers.values() for one in found]

    def add(self, fault: Fault, struck: float, calls: list[Call]) -> None:
        """Takes in one fault and every call from before it until it was repaired."""
        kind = fault.kind
        self.calls[kind] += len(calls)
        self.lost[kind] += sum(not call.ok for call in calls)
        self.outside += sum(call.foreign for call in calls)
        after = [call for call in calls if call.due >= struck]
        self.slowest[kind] = max(
            self.slowest.get(kind, 0.0), *(call.ended - call.due for call in after)
        )
        answered = [
            call.ended - struck
            for call in after
            if call.ok and fault.stands_in(call.served_by, call.host)
        ]
        self.first_answers.setdefault(kind, []).append(min(answered, default=float("inf")))

    def by_kind(self) -> dict[str, dict[str, float]]:
        return {
            kind.value: {
                "faults": len(found),
                "calls": self.calls[kind],
                "lost": self.lost[kind],
                "first_answer_p50_s": report.rounded(percentile(found, 0.5)),
                "first_answer_max_s": report.rounded(max(found)),
                "slowest_call_s": report.rounded(self.slowest[kind]),
            }
            for kind, found in self.first_answers.items()
        }


async def strike(made: Lab, load: Load, fault: Fault, seen: Seen, lasts: float) -> None:
    """One fault: it strikes, lasts, is repaired, and calls are served at home again."""
    load.ways = fault.ways(made)
    await asyncio.sleep(SETTLES_SECONDS)
    struck = time.monotonic()
    await fault.strike(made)
    await asyncio.sleep(lasts)
    await fault.repair(made)
    await _home_again(load, fault)
    calls = load.take()
    seen.add(fault, struck, calls)
    _tell(fault, calls)


async def _home_again(load: Load, fault: Fault) -> None:
    before = load.take()
    async with asyncio.timeout(RECOVERED_SECONDS):
        while True:
            await asyncio.sleep(0.3)
            newest = load.take()
            before += newest
            if newest and all(call.served_by == fault.region for call in newest):
                break
    load.calls.extendleft(reversed(before))


def _tell(fault: Fault, calls: Iterable[Call]) -> None:
    problems = Counter(
        f"{call.code.name} {call.reason} {call.detail}" for call in calls if not call.ok
    )
    for problem, count in problems.items():
        report.note(f"{fault.kind} {fault.region}: lost {count}: {problem}")


async def series(
    made: Lab, count: int, rate: float, what: str, lasts: float = LASTS_SECONDS
) -> Seen:
    """``count`` faults of every kind in turns, in the EU's regions in turns."""
    seen = Seen()
    regions = made.plan.topology.jurisdictions[EU].regions
    load = Load(made, [Way(region, region) for region in regions], rate)
    with report.progress(what, count) as bar:
        async with load.running():
            await asyncio.sleep(1)
            for fault in cycle_of(count, regions):
                bar.advance(0, f"{fault.kind} {fault.region}")
                await strike(made, load, fault, seen, lasts)
                bar.advance()
    return seen


async def all_dead(made: Lab, rate: float) -> dict[str, Any]:
    """Every sidecar and backend of the EU dies; its edges live and have to say so."""
    regions = made.plan.topology.jurisdictions[EU].regions
    load = Load(made, [Way(edge, home) for edge in regions for home in regions], rate)
    async with load.running():
        await asyncio.sleep(1)
        load.take()
        for region in regions:
            for process in (*made.regions[region].sidecars, *made.regions[region].apps):
                process.kill()
        await asyncio.sleep(NOTICED_SECONDS)
        await load.drain_soon()
        at_first = load.take()
        await asyncio.sleep(DEAD_SECONDS)
    calls = load.take()
    return {
        "dead_calls": len(calls),
        "dead_answered_as_promised": sum(map(_promised, calls)),
        "dead_p99_s": report.rounded(percentile([call.seconds for call in calls], 0.99)),
        "dead_first_second_p99_s": report.rounded(
            percentile([call.seconds for call in at_first], 0.99)
        ),
    }


def _promised(call: Call) -> bool:
    return call.code is grpc.StatusCode.UNAVAILABLE and call.reason == REASON and call.retry_info


async def prove(count: int, rate: float = RATE) -> dict[str, Any]:
    async with lab(Shape(wan=True)) as made:
        plain = await series(made, count, rate, "faults")
        dead = await all_dead(made, rate)
        seen_abroad = await foreign.requests(made, US)
    async with lab(Shape(wan=True, latency=True)) as made:
        delayed = await series(made, count, rate, "faults, with latency")
        seen_abroad += await foreign.requests(made, US)
    both = (plain, delayed)
    return {
        "faults": 2 * count,
        "calls": sum(seen.calls.total() for seen in both),
        "lost": sum(seen.lost.total() for seen in both),
        "outside_jurisdiction": seen_abroad + sum(seen.outside for seen in both),
        "first_answer_p50_s": report.rounded(percentile(plain.all_first, 0.5)),
        "first_answer_p99_s": report.rounded(percentile(plain.all_first, 0.99)),
        "with_latency_first_answer_p50_s": report.rounded(percentile(delayed.all_first, 0.5)),
        "with_latency_first_answer_p99_s": report.rounded(percentile(delayed.all_first, 0.99)),
        **dead,
        "dead_foreign_requests": seen_abroad,
        "by_kind": plain.by_kind(),
        "with_latency_by_kind": delayed.by_kind(),
    }


PROMISE = report.Promise(
    at_most={
        "lost": 0,
        "outside_jurisdiction": 0,
        "first_answer_p99_s": 0.5,
        "with_latency_first_answer_p99_s": 1.0,
        "dead_p99_s": 0.05,
        "dead_foreign_requests": 0,
    },
    equal={"dead_answered_as_promised": "dead_calls"},
)


if __name__ == "__main__":
    report.run(prove(report.count(FAULTS)), PROMISE)
