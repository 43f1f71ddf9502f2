"""What has been done to a world on purpose and not been undone yet: the record of `chaos`."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from deploy.local import atomic


class Kind(StrEnum):
    KILL = "kill"
    FREEZE = "freeze"
    PARTITION = "partition"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Fault:
    kind: Kind
    region: str
    parts: tuple[str, ...] = ()  # Of KILL and FREEZE.
    ms: float = 0.0  # Of SLOW: what is added to each round trip.


def read(path: Path) -> tuple[Fault, ...]:
    """Returns nothing if there is no record, or none that can be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return tuple(
            Fault(Kind(found["kind"]), found["region"], tuple(found["parts"]), found["ms"])
            for found in json.loads(path.read_text())
        )
    return ()


def write(path: Path, faults: Iterable[Fault]) -> None:
    atomic.write(path, json.dumps([asdict(fault) for fault in faults]), atomic.ANYBODY)


def forget(path: Path) -> None:
    path.unlink(missing_ok=True)


def held(path: Path) -> frozenset[str]:
    """The parts that are not to be started again."""
    killed = (fault.parts for fault in read(path) if fault.kind is Kind.KILL)
    return frozenset(part for parts in killed for part in parts)
