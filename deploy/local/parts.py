"""What a world is made of, as plain data. Nothing here starts anything."""

import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from deploy.local.memo import Memo
from deploy.local.probes import Probe


class Kind(StrEnum):
    SERVER = "server"  # Runs until stopped; ready when its probe says so; restarted when it dies.
    TASK = "task"  # Runs once; ready when it has ended with exit code 0.
    GATE = "gate"  # Runs nothing; ready when its probe says so.


@dataclass(frozen=True, slots=True)
class Part:
    """A process of the world, named like `eu-central-1/postgres`."""

    name: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # All it gets. Holds secrets.
    probe: Probe | None = None
    ports: tuple[int, ...] = ()  # On 127.0.0.1; the one to name first comes first.
    needs: tuple[str, ...] = ()  # Names of parts that must be ready before.
    stop_signal: signal.Signals = signal.SIGTERM
    memo: Memo | None = None
    start_seconds: float = (
        60.0  # Ready by then, or the start has failed. Tasks take what they need.
    )
    refusal: str = ""  # How the line begins with which it says that another try is of no use.

    @property
    def kind(self) -> Kind:
        if not self.command:
            return Kind.GATE
        return Kind.SERVER if self.probe else Kind.TASK


def group_of(part: str) -> str:
    """The region of the part so named, or `world` for what all regions share."""
    return part.partition("/")[0] if "/" in part else "world"


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs ``module`` with this Python."""
    return (sys.executable, "-m", module, *arguments)


class PlanError(Exception):
    """The world cannot be drawn up. The message says why, in one line."""


def ordered(parts: Sequence[Part]) -> list[Part]:
    """Sorts ``parts`` so that each comes after all that it needs.

    Raises:
        PlanError: a need that is not there, or a circle.
    """
    waiting = {part.name: part for part in parts}
    for part in parts:
        for need in part.needs:
            if need not in waiting:
                raise PlanError(f"{part.name} needs {need}, which is not part of this world")
    done: list[Part] = []
    while waiting:
        free = [
            part for part in waiting.values() if not any(need in waiting for need in part.needs)
        ]
        if not free:
            raise PlanError(f"these parts wait for each other: {', '.join(waiting)}")
        for part in free:
            del waiting[part.name]
        done += free
    return done
