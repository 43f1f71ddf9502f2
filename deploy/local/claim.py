"""A world folder belongs to one supervisor at a time, and so do the ports."""

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deploy.local import ports, process, state
from deploy.local.parts import Part

ATTEMPTS = 5
ATTEMPT_SECONDS = 0.05


class Taken(Exception):
    """Something else is in the way. The message says what, in one line."""


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Holds ``folder`` until left. The lock goes with the process, however that ends.

    Raises:
        Taken: another supervisor holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        for attempt in range(ATTEMPTS):
            if _locked(lock):
                break
            # Somebody may merely be asking whether it is held.
            time.sleep(ATTEMPT_SECONDS * attempt)
        else:
            raise Taken(f"This world runs already ({folder}).")
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def held(folder: Path) -> bool:
    """Whether a supervisor holds ``folder``."""
    if not (folder / "lock").exists():
        return False
    with (folder / "lock").open("w") as lock:
        return not _locked(lock)


def clear(file: Path) -> list[str]:
    """Stops what a supervisor that was killed has left running. Returns the names of the parts."""
    before = state.read(file)
    found = before.leftovers() if before else []
    process.stop_leftovers(found)
    return [part.name for part, _ in found]


def check_ports(parts: Sequence[Part]) -> None:
    """Raises Taken for the first port that is not free."""
    for part in parts:
        for port in part.ports:
            if ports.taken(port):
                raise Taken(
                    f"Port {port}, which {part.name} needs, is taken by {ports.holder(port)}."
                )
