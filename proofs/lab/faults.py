"""Ways for a region to fail, and to come back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from proofs.lab.lab import Lab
from proofs.lab.load import Way


class Kind(StrEnum):
    KILL = "process_kill"  # Every backend is killed; the sidecars live.
    FREEZE = "freeze"  # Every sidecar and backend stands still, and its connections with it.
    CUT = "network_cut"  # Nothing passes between the region and the others.
    SIDECAR = "sidecar_kill"  # Every sidecar is killed.
    ONE_HOST = "one_of_two_hosts"  # One sidecar and its backend are killed.
    REGION = "whole_region"  # All at once: edge, sidecars, backends, routers, PostgreSQL.


@dataclass(frozen=True, slots=True)
class Fault:
    kind: Kind
    region: str

    def ways(self, lab: Lab) -> list[Way]:
        """How calls for the region's tenants come in during the fault.

        Through both edges of the jurisdiction, unless the region's own is dead, or beside the home
        hosts on the same side of the cut.
        """
        edges = lab.plan.siblings(self.region)
        if self.kind in (Kind.CUT, Kind.REGION):
            edges = tuple(edge for edge in edges if edge != self.region)
        return [Way(edge, self.region) for edge in edges]

    def stands_in(self, region: str, host: str) -> bool:
        """Whether an answer comes from somebody whom the fault has not hit."""
        if self.kind is Kind.ONE_HOST:
            return host != f"{self.region}/1"
        return region not in ("", self.region)

    async def strike(self, lab: Lab) -> None:
        await STRIKES[self.kind](lab, self.region)

    async def repair(self, lab: Lab) -> None:
        """Starts again what has stopped, and waits until every proxy sees all of it."""
        if lab.relay:
            await lab.wan.heal()
        for process in lab.regions[self.region].all:
            process.thaw()
            process.start()
        await lab.ready()


async def _kill(lab: Lab, region: str) -> None:
    for process in lab.regions[region].apps:
        process.kill()


async def _freeze(lab: Lab, region: str) -> None:
    found = lab.regions[region]
    for process in (*found.sidecars, *found.apps):
        process.freeze()


async def _cut(lab: Lab, region: str) -> None:
    await lab.wan.isolate(region)


async def _sidecar(lab: Lab, region: str) -> None:
    for process in lab.regions[region].sidecars:
        process.kill()


async def _one_host(lab: Lab, region: str) -> None:
    found = lab.regions[region]
    found.sidecars[0].kill()
    found.apps[0].kill()


async def _region(lab: Lab, region: str) -> None:
    for process in lab.regions[region].all:
        process.kill()


STRIKES: dict[Kind, Callable[[Lab, str], Awaitable[None]]] = {
    Kind.KILL: _kill,
    Kind.FREEZE: _freeze,
    Kind.CUT: _cut,
    Kind.SIDECAR: _sidecar,
    Kind.ONE_HOST: _one_host,
    Kind.REGION: _region,
}


def cycle_of(count: int, regions: tuple[str, ...]) -> list[Fault]:
    """``count`` faults: every kind in turns, each of them in every region in turns."""
    kinds = list(Kind)
    return [
        Fault(kinds[n % len(kinds)], regions[n // len(kinds) % len(regions)]) for n in range(count)
    ]
