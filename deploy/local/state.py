"""What runs, written so that another process, or the next start, can read it."""

import contextlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from deploy.local import atomic

SAME_PROCESS_SECONDS = 2.0
"""A process id is used again; the same id created within this time of the record is the process."""


class WorldState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"  # Nothing runs any more; `problem` says why.


class PartState(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"  # A task that has ended well, or did not need to run.
    RESTARTING = "restarting"
    HELD = "held"  # Killed on purpose, and not started again until that is undone.
    STOPPED = "stopped"
    FAILED = "failed"


WELL = (PartState.READY, PartState.DONE)
"""States of a part on which others may rely."""


@dataclass(slots=True)
class ProcessId:
    """A process, told apart from a later one with the same id."""

    pid: int
    create_time: float  # Unix time, seconds.

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """Returns None if the process has ended."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def find(self) -> psutil.Process | None:
        """Returns the process if it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) < SAME_PROCESS_SECONDS
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if same and alive else None


@dataclass(slots=True)
class PartStatus:
    name: str
    state: PartState = PartState.WAITING
    process: ProcessId | None = None
    port: int | None = None
    restarts: int = 0
    since: float = 0.0  # When it came into this state; Unix time, seconds.
    stop_signal: int = 15
    depth: int = 0  # How many parts in a row it needs. Deeper ones are stopped first.
    log: str = ""
    start_seconds: float | None = None  # From its start to ready.


@dataclass(slots=True)
class WorldStatus:
    """The whole of status.json."""

    state: WorldState = WorldState.STARTING
    problem: str | None = None
    supervisor: ProcessId | None = None
    base_port: int = 0
    edge_port: int = 0
    routers: int = 1  # In each region.
    latency: bool = False  # Whether calls between regions take their time.
    ready_seconds: float | None = None
    parts: dict[str, PartStatus] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        atomic.write(path, json.dumps(asdict(self), indent=1), atomic.ANYBODY)

    def leftovers(self) -> list[tuple[PartStatus, psutil.Process]]:
        """Returns the parts whose processes still run, with those processes."""
        found = ((part, part.process.find()) for part in self.parts.values() if part.process)
        return [(part, process) for part, process in found if process is not None]


def read(path: Path) -> WorldStatus | None:
    """Returns None if no world was ever started here, or its file cannot be read."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        body = json.loads(path.read_text())
        parts = {name: _part(fields) for name, fields in body.pop("parts").items()}
        state, supervisor = WorldState(body.pop("state")), _process(body.pop("supervisor"))
        return WorldStatus(state=state, supervisor=supervisor, parts=parts, **body)
    return None


def _part(fields: dict[str, Any]) -> PartStatus:
    state, process = PartState(fields.pop("state")), _process(fields.pop("process"))
    return PartStatus(state=state, process=process, **fields)


def _process(fields: dict[str, Any] | None) -> ProcessId | None:
    return ProcessId(**fields) if fields else None
