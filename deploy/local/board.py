"""The status of a world, as its supervisor keeps it: each change is written and told."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.parts import Part
from deploy.local.places import Places
from deploy.local.state import PartState, PartStatus, ProcessId, WorldState, WorldStatus


class Board:
    def __init__(
        self,
        places: Places,
        status: WorldStatus,
        changed: Callable[[WorldStatus], None] = lambda _: None,
    ) -> None:
        """Keeps ``status`` in the file of ``places``, and calls ``changed`` after each change."""
        self.status = status
        self.places = places
        self._changed = changed

    def draw(self, parts: Sequence[Part]) -> None:
        """Lists ``parts``, each after what it needs, none of them started."""
        depths: dict[str, int] = {}
        for part in parts:
            depths[part.name] = 1 + max((depths[need] for need in part.needs), default=-1)
        self.status.parts = {
            part.name: PartStatus(
                part.name,
                port=part.ports[0] if part.ports else None,
                stop_signal=part.stop_signal.value,
                depth=depths[part.name],
                log=str(self.log(part)),
            )
            for part in parts
        }
        self.write()

    def world(self, state: WorldState, problem: str | None = None) -> None:
        self.status.state = state
        self.status.problem = problem or self.status.problem
        self.write()

    def started(self, part: Part, pid: int) -> None:
        """Notes a new process. It is on disk before anything else happens to it."""
        self.status.parts[part.name].process = ProcessId.of(pid)
        self.become(part, PartState.STARTING)

    def ended(self, part: Part) -> None:
        self.status.parts[part.name].process = None

    def ready(self, part: Part) -> None:
        found = self.status.parts[part.name]
        found.start_seconds = round(time.time() - found.since, 2)
        self.become(part, PartState.READY)

    def restarting(self, part: Part) -> None:
        self.status.parts[part.name].restarts += 1
        self.become(part, PartState.RESTARTING)

    def become(self, part: Part, state: PartState) -> None:
        found = self.status.parts[part.name]
        found.state, found.since = state, time.time()
        self.write()

    def log(self, part: Part) -> Path:
        return self.places.log(part.name)

    def write(self) -> None:
        self.status.write(self.places.status)
        self._changed(self.status)
