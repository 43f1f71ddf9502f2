"""A world folder belongs to one supervisor at a time, and so do the ports."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local import ports, process, state
from deploy.local.parts import Part


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
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"This world runs already ({folder}).") from None
        yield


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
