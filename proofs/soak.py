"""A million calls of two jurisdictions, with failovers among them; every answer is looked at.

    make soak COUNT=1000000

The client checks who has served each call, and counts. The routers' audit has counted as well, from
what the proxies report: both must agree. Calls carry canary strings; afterwards the files of every
region are searched for those of foreign tenants.
"""

import asyncio
from collections import Counter
from typing import Any

from proofs import report
from proofs.lab import canaries, evidence
from proofs.lab.faults import Fault, Kind
from proofs.lab.lab import Lab, lab
from proofs.lab.load import GET_STOCK, RECORD, Call, Load, Way
from proofs.lab.plan import Shape

REQUESTS = 1_000_000
RATE = 900.0
AT_ONCE = 100
"""Calls under way: a machine that cannot keep up takes longer, and no call waits in vain."""

CALLS_FOR_EACH_FAILOVER = 10_000
LASTS_SECONDS = 2.0
AGREES_SECONDS = 30.0
KINDS = (Kind.KILL, Kind.SIDECAR, Kind.FREEZE, Kind.ONE_HOST)
EU, US = "EU", "US"
EU_REGIONS, US_REGION = ("eu-central-1", "eu-west-1"), "us-east-1"
REDIRECTED = "WRONG_REGION"

WAYS = [
    *[Way(edge, home) for edge in EU_REGIONS for home in EU_REGIONS] * 3,
    *[Way(US_REGION, US_REGION)] * 6,
    # At the door of the other jurisdiction, which must send them away.
    Way(US_REGION, EU_REGIONS[0]),
    Way(EU_REGIONS[0], US_REGION),
]


class Watch:
    """Counts what the audit must have counted, too, and what must not be."""

    def __init__(self, made: Lab) -> None:
        self._jurisdictions = {
            name: region.jurisdiction for name, region in made.plan.topology.regions.items()
        }
        self.served: Counter[tuple[str, str]] = Counter()  # By jurisdiction and region.
        self.redirected = 0
        self.violations = 0
        self.failed: Counter[str] = Counter()

    def see(self, call: Call) -> None:
        own = self._jurisdictions[call.way.home]
        at_home = own == self._jurisdictions[call.way.edge]
        if call.served_by:
            self.served[own, call.served_by] += 1
        # A foreign edge that passes on what it must send away breaks residency as well.
        self.violations += call.foreign or bool(call.served_by and not at_home)
        if not at_home and call.reason == REDIRECTED:
            self.redirected += 1
        elif not call.ok:
            self.failed[f"{call.code.name} {call.reason} {call.detail}".strip()] += 1

    def agrees(self, audited: Counter[tuple[str, str]]) -> bool:
        """Whether the audit has counted the same.

        Of a call that has failed, only the audit can tell whether it was served before its answer
        was lost.
        """
        more = audited.total() - self.served.total()
        return self.served <= audited and more <= self.failed.total()


async def failovers(made: Lab, count: int, every: float) -> int:
    """One fault after the other, for ``count`` of them. Returns how many there were."""
    for number in range(count):
        fault = Fault(KINDS[number % len(KINDS)], EU_REGIONS[number // len(KINDS) % 2])
        await fault.strike(made)
        await asyncio.sleep(min(LASTS_SECONDS, every / 2))
        await fault.repair(made)
        await asyncio.sleep(max(0.0, every - LASTS_SECONDS - 1))
    return count


async def soak(made: Lab, requests: int, count: int, rate: float) -> dict[str, Any]:
    watch, before = Watch(made), await evidence.read(made)
    load = Load(
        made,
        WAYS,
        rate,
        paths=[GET_STOCK, GET_STOCK, RECORD],
        payload=canaries.payload,
        seen=watch.see,
    )
    every = requests / rate / max(1, count)
    with report.progress("calls", requests) as bar:
        told = asyncio.create_task(_tell(load, bar))
        # Whichever takes longer: calls go on until the last fault is repaired.
        struck = asyncio.create_task(failovers(made, count, every))
        await load.run(requests, AT_ONCE)
        while not struck.done():
            await load.run(int(rate), AT_ONCE)
        told.cancel()
    await load.drain()
    await load.close()
    found = await evidence.settled(made, before, watch.served, AGREES_SECONDS)
    abroad = await asyncio.to_thread(canaries.abroad, made)
    for hit in abroad:
        report.note(f"leaked: {hit}")
    for problem, times in watch.failed.items():
        report.note(f"failed {times}: {problem}")
    return {
        "requests": load.tally.calls,
        "violations": watch.violations + found.violations,
        "failovers": await struck,
        "audited": found.served.total(),
        "served": watch.served.total(),
        "audit_agrees": watch.agrees(found.served),
        "hits": len(abroad),
        "hits_at_home": len(await asyncio.to_thread(canaries.at_home, made)),
        "redirected": watch.redirected,
        "failed": watch.failed.total(),
        "served_by_sibling": sum(
            times
            for (home, region), times in load.tally.served.items()
            if region and region != home
        ),
    }


async def _tell(load: Load, bar: report.Bar) -> None:
    before = 0
    while True:
        await asyncio.sleep(1)
        now = load.tally.calls
        bar.advance(now - before)
        before = now


async def prove(requests: int, rate: float = RATE) -> dict[str, Any]:
    count = max(1, requests // CALLS_FOR_EACH_FAILOVER)
    async with lab(Shape()) as made:
        return await soak(made, requests, count, rate)


PROMISE = report.Promise(at_most={"violations": 0, "hits": 0}, equal={"audit_agrees": True})


if __name__ == "__main__":
    report.run(prove(report.count(REQUESTS)), PROMISE)
