"""What proofs have in common: settings from the environment, a bar on stderr, JSON at the end."""

import json
import os
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
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


def run(proof: Coroutine[Any, Any, dict[str, Any]]) -> None:
    """Runs ``proof`` and prints its figures as one line of JSON."""
    figures = uvloop.run(proof)
    print(json.dumps(figures))


def rounded(value: float) -> float:
    return round(value, 4)
