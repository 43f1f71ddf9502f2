"""What proofs have in common: settings from the environment, a bar on stderr, JSON at the end."""

import json
import os
import sys
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PERCENT = 100


def count(default: int) -> int:
    """`COUNT=` of the make target."""
    return int(os.environ.get("COUNT") or default)


def seconds(default: float) -> float:
    """`SECONDS=` of the make target."""
    return float(os.environ.get("SECONDS") or default)


@contextmanager
def progress(what: str, total: float) -> Iterator["Bar"]:
    """A bar on stderr, which is silent where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        yield Bar(bar, what, total)


class Bar:
    def __init__(self, progress: Progress, what: str, total: float) -> None:
        self._progress, self._what = progress, what
        self._task = progress.add_task(what, total=total)

    def advance(self, by: float = 1, note: str = "") -> None:
        self._progress.update(self._task, advance=by, description=f"{self._what} {note}".rstrip())


def note(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr, flush=True)


Figures = dict[str, Any]


@dataclass(frozen=True)
class Promise:
    """What figures must be for a proof to hold."""

    at_most: Mapping[str, float] = field(default_factory=dict)
    equal: Mapping[str, str | int] = field(default_factory=dict)
    """Figure to another figure's name, or to a number."""

    def broken(self, figures: Figures) -> Iterator[str]:
        """What does not hold, in words."""
        for name, limit in self.at_most.items():
            if figures[name] > limit:
                yield f"{name} is {figures[name]}: at most {limit} is promised"
        for name, other in self.equal.items():
            wanted = figures[other] if isinstance(other, str) else other
            if figures[name] != wanted:
                yield f"{name} is {figures[name]}: {wanted} is promised"


def run(proof: Coroutine[Any, Any, Figures], promise: Promise) -> None:
    """Runs ``proof``, prints its figures, and ends the process with 1 if it does not hold."""
    close(uvloop.run(proof), promise)


def close(figures: Figures, promise: Promise) -> None:
    """Prints ``figures`` as one line of JSON, and ends the process with 1 if they do not hold."""
    broken = list(promise.broken(figures))
    for problem in broken:
        note(f"NOT HELD: {problem}")
    print(json.dumps(figures))
    sys.exit(1 if broken else 0)


def rounded(value: float) -> float:
    return round(value, 4)
