"""Logs of the world's parts, a few lines or as they grow."""

import time
from collections.abc import Mapping
from pathlib import Path

import typer

from deploy.local.places import Places
from deploy.local.process import tail

POLL_SECONDS = 0.2


def find(here: Places, wanted: str | None) -> dict[str, Path]:
    """Returns the logs of a part, of a region (`eu-central-1`), or of all, by part."""
    found = {
        str(path.relative_to(here.logs).with_suffix("")).removeprefix("world/"): path
        for path in sorted(here.logs.rglob("*.log"))
    }
    if wanted is None:
        return found
    return {
        part: path
        for part, path in found.items()
        if part == wanted or part.startswith(f"{wanted}/")
    }


def show(logs: Mapping[str, Path], lines: int) -> None:
    for part, path in logs.items():
        for line in tail(path, lines):
            _echo(part, line, len(logs))


def follow(logs: Mapping[str, Path]) -> None:
    """Prints what is added, until Ctrl-C. A log that was turned over is read from its start."""
    read = {part: path.stat().st_size for part, path in logs.items()}
    try:
        while True:
            for part, path in logs.items():
                read[part] = _added(part, path, read[part], len(logs))
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return


def _added(part: str, path: Path, read_bytes: int, logs: int) -> int:
    """Prints the whole lines after ``read_bytes``. Returns how far it has come."""
    try:
        size = path.stat().st_size
        if size == read_bytes:
            return read_bytes
        start = read_bytes if size > read_bytes else 0
        with path.open("rb") as file:
            file.seek(start)
            whole, newline, _ = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return 0
    for line in whole.splitlines():
        _echo(part, line.decode(errors="replace"), logs)
    return start + len(whole) + len(newline)


def _echo(part: str, line: str, logs: int) -> None:
    typer.echo(line if logs == 1 else f"{part}: {line}")
