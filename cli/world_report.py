"""What runs, whether it answers, and what it costs."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from deploy.local import faults, lag, plan, world
from deploy.local.faults import Fault
from deploy.local.lag import Lag, Role
from deploy.local.parts import Kind, Part, PlanError, group_of
from deploy.local.places import Places
from deploy.local.state import WELL, PartStatus, WorldState, WorldStatus
from deploy.local.world import World

STYLES = {True: "green", False: "bold red"}


@dataclass(frozen=True, slots=True)
class PartReport:
    name: str
    state: str
    healthy: bool  # As the part itself says now; for a task, whether it is done.
    pid: int | None
    port: int | None
    restarts: int
    since: str | None  # RFC 3339.
    memory_bytes: int
    log: str


@dataclass(frozen=True, slots=True)
class Report:
    state: str
    problem: str | None
    folder: str
    supervisor_pid: int | None
    ready_seconds: float | None
    memory_bytes: int  # Proportional set size: memory shared by processes is counted once.
    regions: dict[str, dict[str, Any]]
    parts: list[PartReport]
    replicas: list[Lag]
    faults: tuple[Fault, ...]  # What was broken on purpose and not healed yet.

    @property
    def healthy(self) -> bool:
        return self.state == WorldState.READY and all(part.healthy for part in self.parts)

    def as_dict(self) -> dict[str, Any]:
        return {"healthy": self.healthy, **asdict(self)}


def report(here: Places, found: WorldStatus) -> Report:
    """Asks every part of the world whether it answers."""
    drawn = _drawn(here, found)
    planned = _planned(drawn) if drawn else []
    healthy = asyncio.run(_healthy(found, planned))
    listed = sorted(found.parts.values(), key=lambda part: part.name.rpartition("/")[0])
    parts = [_part(part, healthy=part.name in healthy) for part in listed]
    supervisor = found.supervisor.find() if found.supervisor else None
    return Report(
        state=found.state,
        problem=found.problem,
        folder=str(here.folder),
        supervisor_pid=supervisor.pid if supervisor else None,
        ready_seconds=found.ready_seconds,
        memory_bytes=memory_bytes(found),
        regions=_regions(drawn, found, parts) if drawn else {},
        parts=parts,
        replicas=_replicas(drawn, found) if drawn else [],
        faults=faults.read(here.faults),
    )


def show(found: Report, console: Console) -> None:
    """Prints the report as a table."""
    if found.problem:
        console.print(found.problem, style="red", highlight=False, markup=False)
    if found.state in (WorldState.STOPPED, WorldState.FAILED):
        console.print(f"The world in {found.folder} is not running.", highlight=False)
        return
    table = Table("part", "state", "port", "pid", "restarts", "MB", box=None, pad_edge=False)
    for part in found.parts:
        answers = "" if part.healthy or part.state not in WELL else ", does not answer"
        table.add_row(
            part.name,
            f"[{STYLES[part.healthy]}]{part.state}{answers}[/]",
            str(part.port or ""),
            str(part.pid or ""),
            str(part.restarts or ""),
            f"{part.memory_bytes / 1e6:.0f}" if part.memory_bytes else "",
        )
    console.print(table)
    if found.replicas:
        console.print(_lags(found.replicas))
    for region, facts in found.regions.items():
        style = STYLES[facts["healthy"]]
        console.print(f"[{style}]{region}[/] ({facts['jurisdiction']}): {facts['edge']}")
    for fault in found.faults:
        console.print(
            f"On purpose: {fault.kind} {fault.region}; undo it with "
            f"`hemline chaos heal {fault.region}`",
            style="yellow",
            highlight=False,
        )
    console.print(f"{found.state}; {found.memory_bytes / 1e6:,.0f} MB of memory", highlight=False)


def _lags(replicas: list[Lag]) -> Table:
    """A line for each copy that is not the primary."""
    table = Table("data of", "copy", "role", "primary", "behind", box=None, pad_edge=False)
    for each in replicas:
        behind = "unknown" if each.lag_bytes is None else f"{each.lag_bytes:,} bytes"
        if each.lag_seconds is not None and each.lag_bytes != 0:
            behind += f", {each.lag_seconds:.1f} s"
        style = STYLES[each.role is Role.STANDBY and each.streaming]
        role = each.role if each.streaming else f"{each.role}, not streaming"
        table.add_row(each.home, each.part, f"[{style}]{role}[/]", f"at {each.primary_at}", behind)
    return table


def _replicas(drawn: World, found: WorldStatus) -> list[Lag]:
    """What each standby says of itself. Nothing while nothing runs."""
    if found.state in (WorldState.STOPPED, WorldState.FAILED):
        return []
    try:
        groups = [
            (drawn.primary(region), drawn.copies(region))
            for region in drawn.regions
            if len(drawn.copies(region)) > 1
        ]
    except PlanError:
        return []  # The record of primaries has been spoilt.
    return lag.of(groups)


def memory_bytes(found: WorldStatus) -> int:
    """Of all processes of the world: what its supervisor has started, and itself."""
    supervisor = found.supervisor.find() if found.supervisor else None
    return _memory_bytes(supervisor) if supervisor else 0


def by_group(names: Iterable[str]) -> str:
    """Counts parts by region: `eu-central-1 12, world 2`."""
    counts = Counter(group_of(name) for name in names)
    return ", ".join(f"{group} {count}" for group, count in counts.items())


async def _healthy(found: WorldStatus, planned: list[Part]) -> set[str]:
    """Returns the names of the parts that answer, or that are done."""

    async def answers(part: Part, status: PartStatus) -> bool:
        if status.state not in WELL or part.probe is None or part.kind is Kind.GATE:
            return status.state in WELL
        return bool(status.process and status.process.find()) and await part.probe.ready()

    known = [(part, found.parts[part.name]) for part in planned if part.name in found.parts]
    answered = await asyncio.gather(*(answers(part, status) for part, status in known))
    return {part.name for (part, _), answer in zip(known, answered, strict=True) if answer}


def _drawn(here: Places, found: WorldStatus) -> World | None:
    try:
        return world.load(
            here, found.base_port, found.edge_port, routers=found.routers, latency=found.latency
        )
    except PlanError:
        return None  # Nothing was ever started, or its files have been spoilt since.


def _planned(drawn: World) -> list[Part]:
    try:
        return plan.parts(drawn)
    except PlanError:
        return []  # A program is missing by now.


def _regions(drawn: World, found: WorldStatus, parts: list[PartReport]) -> dict[str, Any]:
    return {
        region: {
            "jurisdiction": drawn.topology.jurisdiction_of(region).name,
            "edge": f"http://127.0.0.1:{ports.edge}",
            "healthy": found.state is WorldState.READY
            and all(part.healthy for part in parts if part.name.startswith(f"{region}/")),
        }
        for region, ports in drawn.ports.items()
    }


def _part(part: PartStatus, *, healthy: bool) -> PartReport:
    process = part.process.find() if part.process else None
    return PartReport(
        name=part.name,
        state=part.state,
        healthy=healthy,
        pid=process.pid if process else None,
        port=part.port,
        restarts=part.restarts,
        since=datetime.fromtimestamp(part.since, UTC).isoformat() if part.since else None,
        memory_bytes=_memory_bytes(process) if process else 0,
        log=part.log,
    )


def _memory_bytes(process: psutil.Process) -> int:
    """The process and its children, such as PostgreSQL's. Resident size where PSS is hidden."""
    total = 0
    for each in [process, *_children(process)]:
        try:
            total += int(each.memory_full_info().pss)
        except (psutil.AccessDenied, AttributeError):
            total += int(each.memory_info().rss)
        except psutil.Error:
            continue
    return total


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []
