"""Breaks a region of a running world on purpose, and mends it.

What is broken stands in the world's record of faults. The supervisor starts nothing again that was
killed; the relay follows its file.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from deploy.local import faults, parts, plan, process, routes, state
from deploy.local.faults import Fault, Kind
from deploy.local.parts import Part
from deploy.local.ports import SERVICES
from deploy.local.refused import Refused
from deploy.local.routes import Mode, Route
from deploy.local.state import WELL, PartState, PartStatus, WorldState, WorldStatus
from deploy.local.world import World

APPLIED_SECONDS = 5.0
HEAL_SECONDS = 90.0
POLL_SECONDS = 0.05
RELAYED = (Kind.PARTITION, Kind.SLOW)
SERVERS = ("postgres", "redis", "standby")
"""What a region has besides services and proxies."""


def members(
    found: WorldStatus, region: str, service: str | None, *, services_only: bool
) -> tuple[str, ...]:
    """The parts of ``region`` with a process: all, one service's with its sidecar, or no servers.

    Raises:
        Refused: no such service, or nothing of it runs.
    """
    if service is not None and service not in SERVICES:
        raise Refused(f"unknown service {service}; known: {', '.join(SERVICES)}")
    chosen = [
        part.name
        for part in found.parts.values()
        if part.name.startswith(f"{region}/") and part.process and part.process.find()
        if _of(part.name.rpartition("/")[2], service, services_only=services_only)
    ]
    if not chosen:
        raise Refused(
            f"nothing of {region} runs that could be broken; first `hemline chaos heal {region}`"
        )
    return tuple(chosen)


def _of(name: str, service: str | None, *, services_only: bool) -> bool:
    if service is not None:
        return name.removeprefix("sidecar-").partition("-")[0] == service
    return not (services_only and name.startswith(SERVERS))


def strike(world: World, found: WorldStatus, fault: Fault) -> None:
    """Does it, beside what has been done before.

    Raises:
        Refused: the relay does not follow.
    """
    now = faults.read(world.places.faults)
    same = [one for one in now if (one.kind, one.region) == (fault.kind, fault.region)]
    broken = dict.fromkeys(part for one in (*same, fault) for part in one.parts)
    kept = [one for one in now if one not in same]
    wanted = [*kept, replace(fault, parts=tuple(broken))]
    if fault.kind in RELAYED:
        _relay(world, wanted)
    # Before anything dies: the supervisor is not to start it again.
    faults.write(world.places.faults, wanted)
    act = {Kind.KILL: process.end, Kind.FREEZE: process.freeze}.get(fault.kind)
    for part in fault.parts:
        pid = _pid(found.parts[part])
        if pid and act:
            act(pid)


def heal(world: World, region: str | None) -> tuple[Fault, ...]:
    """Undoes what was done to ``region``, or to all. Returns that.

    Raises:
        Refused: the relay does not follow. All else is undone.
    """
    now = faults.read(world.places.faults)
    undone = tuple(fault for fault in now if region in (None, fault.region))
    kept = [fault for fault in now if fault not in undone]
    relayed = [fault for fault in undone if fault.kind in RELAYED]
    faults.write(world.places.faults, [*kept, *relayed])
    found = state.read(world.places.status)
    for fault in undone:
        if fault.kind is Kind.FREEZE and found:
            for part in fault.parts:
                pid = _pid(found.parts[part])
                if pid:
                    process.thaw(pid)
    if relayed:
        _relay(world, kept)
        faults.write(world.places.faults, kept)
    return undone


def wait_until_well(world: World, regions: Sequence[str]) -> Iterator[str]:
    """Waits until every server of ``regions`` answers again. Yields each that did not at first.

    Raises:
        Refused: one does not, after a while.
    """
    servers = (part for part in plan.parts(world, seed=False) if part.kind is parts.Kind.SERVER)
    waiting = [part for part in servers if parts.group_of(part.name) in regions]
    deadline = time.monotonic() + HEAL_SECONDS
    first = True
    while waiting:
        if time.monotonic() > deadline:
            silent = ", ".join(part.name for part in waiting)
            raise Refused(f"not ready after {HEAL_SECONDS:.0f} s: {silent}; see `hemline logs`")
        if not first:
            time.sleep(POLL_SECONDS)
        answering = asyncio.run(_answering(waiting, state.read(world.places.status)))
        if not first:
            yield from answering
        waiting = [part for part in waiting if part.name not in answering]
        first = False


async def _answering(waiting: Sequence[Part], found: WorldStatus | None) -> list[str]:
    """The names of those that say themselves that they are ready.

    The supervisor asks each once, after its start: it does not know what was frozen since.
    """
    known = found.parts if found else {}
    started = [part for part in waiting if part.name in known and known[part.name].state in WELL]
    ready = await asyncio.gather(*(part.probe.ready() for part in started if part.probe))
    return [part.name for part, yes in zip(started, ready, strict=True) if yes]


def routes_under(world: World, now: Sequence[Fault]) -> tuple[Route, ...]:
    """The relay's routes with these faults."""
    cut = {fault.region for fault in now if fault.kind is Kind.PARTITION}
    slow = [fault for fault in now if fault.kind is Kind.SLOW]
    return tuple(
        replace(
            route,
            mode=Mode.CUT if cut & {route.from_region, route.to_region} else Mode.OPEN,
            # Half of a round trip, each way.
            delay_ms=route.delay_ms
            + sum(fault.ms for fault in slow if route.touches(fault.region)) / 2,
        )
        for route in world.wan.routes()
    )


def check(world: World, found: WorldStatus, region: str) -> None:
    """Raises Refused for a region that is not there, or a world that is not ready."""
    if region not in world.regions:
        raise Refused(f"unknown region {region}; known: {', '.join(world.regions)}")
    if found.state is not WorldState.READY:
        raise Refused(f"the world is {found.state}, not ready")


def _relay(world: World, wanted: Sequence[Fault]) -> None:
    path = world.places.routes
    routes.write(path, routes_under(world, wanted))
    deadline = time.monotonic() + APPLIED_SECONDS
    while not routes.applied(path):
        if time.monotonic() > deadline:
            # For a relay that comes back: what status says.
            routes.write(path, routes_under(world, faults.read(world.places.faults)))
            raise Refused("the relay does not follow its file; see `hemline logs relay`")
        time.sleep(POLL_SECONDS)


def _pid(part: PartStatus) -> int | None:
    found = part.process.find() if part.process and part.state is not PartState.STOPPED else None
    return found.pid if found else None
