"""What `hemline up` shows: progress by region while starting, what to try once it is ready."""

from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli import world_report
from deploy.local import accounts, process
from deploy.local.demo import RETAILERS
from deploy.local.parts import group_of
from deploy.local.places import Places
from deploy.local.state import WELL, PartState, WorldState, WorldStatus
from services.chassis import topology

SEED = "seed"
BUF_CURL = "buf curl --protocol grpc --http2-prior-knowledge --reflect-header '*'"


class View(Protocol):
    def show(self, found: WorldStatus) -> None:
        """Called ten times a second."""

    def close(self) -> None:
        """Called once, however it ended."""


def view(here: Places, *, attached: bool) -> View:
    """A live view on a terminal, plain lines elsewhere.

    Args:
        here: the world's files.
        attached: whether the world ends with this command.
    """
    console = Console()
    kind = LiveView if console.is_terminal else Lines
    return kind(here, console, attached=attached)


class Lines:
    """A line for each part that becomes ready, or dies."""

    def __init__(self, here: Places, console: Console, *, attached: bool) -> None:
        self._here = here
        self._console = console
        self._attached = attached
        self._seen: dict[str, tuple[PartState, int]] = {}
        self._seed_lines = 0
        self._state = WorldState.STARTING

    def show(self, found: WorldStatus) -> None:
        for part in found.parts.values():
            now = (part.state, part.restarts)
            if self._seen.get(part.name) != now and part.state is not PartState.WAITING:
                self._seen[part.name] = now
                self._change(part.name, part.state, part.start_seconds)
        if SEED in found.parts and found.parts[SEED].state is PartState.STARTING:
            self._seeding()
        if found.state is not self._state:
            self._state = found.state
            self._turn(found)

    def seen(self, found: WorldStatus) -> None:
        """Takes the parts as they are for told."""
        self._seen = {part.name: (part.state, part.restarts) for part in found.parts.values()}

    def close(self) -> None:
        """Nothing is held."""

    def _turn(self, found: WorldStatus) -> None:
        match found.state:
            case WorldState.READY:
                summary(self._here, found, self._console, attached=self._attached)
            case WorldState.STOPPING:
                self._say("Stopping; Ctrl-C again kills.")
            case WorldState.STOPPED:
                self._say("Stopped. The data is kept.")

    def _change(self, name: str, state: PartState, start_seconds: float | None) -> None:
        if state in WELL:
            took = f" ({start_seconds:.1f} s)" if start_seconds else ""
            self._say(f"{name}: {state}{took}")
        elif state in (PartState.RESTARTING, PartState.FAILED):
            self._say(f"{name}: {state}")

    def _seeding(self) -> None:
        lines = process.tail(self._here.log(SEED), lines=1000)
        for line in lines[self._seed_lines :]:
            self._say(f"{SEED}: {line}")
        self._seed_lines = len(lines)

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class LiveView:
    """A line for each region, redrawn while it starts; plain lines for what happens later."""

    def __init__(self, here: Places, console: Console, *, attached: bool) -> None:
        self._here = here
        self._console = console
        self._attached = attached
        self._live: Live | None = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()
        self._later = Lines(here, console, attached=attached)

    def show(self, found: WorldStatus) -> None:
        if self._live is None:
            self._later.show(found)
        elif found.state is WorldState.STARTING:
            self._live.update(self._progress(found), refresh=True)
        else:
            self.close()
            # What is ready by now is no news.
            self._later.seen(found)
            self._later.show(found)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _progress(self, found: WorldStatus) -> Group:
        table = Table.grid(padding=(0, 2))
        groups: dict[str, list[str]] = {}
        for name in found.parts:
            groups.setdefault(group_of(name), []).append(name)
        for group, names in groups.items():
            states = [found.parts[name].state for name in names]
            done = sum(state in WELL for state in states)
            busy = [
                name.rpartition("/")[2]
                for name, state in zip(names, states, strict=True)
                if state in (PartState.STARTING, PartState.RESTARTING)
            ]
            bar = Text.assemble(("━" * done, "green"), ("━" * (len(names) - done), "dim"))
            table.add_row(group, bar, f"{done}/{len(names)}", Text(", ".join(busy), style="dim"))
        seeding = SEED in found.parts and found.parts[SEED].state is PartState.STARTING
        last = process.tail(self._here.log(SEED), lines=1) if seeding else []
        return Group(table, *(Text(line, style="dim") for line in last))


def summary(here: Places, found: WorldStatus, console: Console, *, attached: bool) -> None:
    """Says that the world is ready, what it costs, where it is, and what to try."""
    running = sum(part.process is not None for part in found.parts.values())
    memory_gb = world_report.memory_bytes(found) / 1e9
    lines = [
        f"Ready in {found.ready_seconds} s: {running} processes, {memory_gb:.1f} GB of memory.",
        "",
        *_regions(here),
        "",
        *_next_steps(here),
        "",
        "Ctrl-C stops all of it." if attached else "`hemline down` stops all of it.",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _regions(here: Places) -> list[str]:
    regions = topology.load(here.topology).regions
    width = max(len(name) for name in regions)
    return [f"  {name:{width}}  {region.endpoint}" for name, region in regions.items()]


def _next_steps(here: Places) -> list[str]:
    known = {account.email for account in accounts.read(here.accounts)}
    users = [retailer.planner for retailer in RETAILERS if retailer.planner in known]
    if not users or not here.seeded.exists():
        return ["Look around:", "  hemline status", "  hemline tenant create --help"]
    edge = next(iter(topology.load(here.topology).regions.values())).endpoint
    method = "hemline.inventory.v1.InventoryService/ListStockLevels"
    bearer = '-H "authorization: Bearer $T"'
    return [
        f"Users: {', '.join(users)}",
        "Try, in another terminal (`. .venv/bin/activate` first):",
        f"  T=$(hemline token --user {users[0]})",
        f"  grpcurl -plaintext {bearer} {edge.removeprefix('http://')} {method}",
        f"  {BUF_CURL} {bearer} {edge}/{method}",
        f"  hemline forecast list --user {users[0]}",
        "  hemline status",
    ]
