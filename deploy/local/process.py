"""One process of the world: started in a session of its own, stopped for certain."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import psutil

from deploy.local.parts import Part
from deploy.local.places import ROOT
from deploy.local.state import PartStatus

GRACE_SECONDS = 15.0
LOG_LIMIT_BYTES = 8 * 1024 * 1024
TAIL_LINES = 12


async def start(part: Part, log: Path) -> asyncio.subprocess.Process:
    """Starts ``part`` with its own environment alone. Its output is appended to ``log``.

    A session of its own keeps a terminal's Ctrl-C from it: the supervisor stops it, in order.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *part.command,
            env=dict(part.env),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def stop(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Asks ``process`` to stop, and ends it if it does not within the grace."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        # One that somebody has frozen hears nothing until it goes on, nor do its children. First,
        # because a second signal finds a process that has ended at the first, and takes its exit
        # code from asyncio.
        thaw(process.pid)
        process.send_signal(number)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    kill(process)
    await process.wait()


def family(pid: int) -> list[psutil.Process]:
    """The process and what it has started, such as PostgreSQL's; the parent first."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def freeze(pid: int) -> None:
    """Stops the process, so that it starts nothing more, and then what it has started."""
    _send(family(pid)[:1], signal.SIGSTOP)
    _send(family(pid), signal.SIGSTOP)


def thaw(pid: int) -> None:
    """Undoes `freeze`."""
    _send(family(pid), signal.SIGCONT)


def end(pid: int) -> None:
    """Kills the process and what it has started, all at once."""
    _send(family(pid), signal.SIGKILL)


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def kill(process: asyncio.subprocess.Process) -> None:
    """Ends ``process`` and what it started, unless it has ended: its id may be another's by now."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def stop_leftovers(found: Sequence[tuple[PartStatus, psutil.Process]]) -> None:
    """Stops the processes of a supervisor that is gone, the deepest first.

    They are no children of this process, which can only watch them go.
    """
    for depth in sorted({part.depth for part, _ in found}, reverse=True):
        _stop_together([(part, process) for part, process in found if part.depth == depth])


def _stop_together(found: Sequence[tuple[PartStatus, psutil.Process]]) -> None:
    family = [process for _, process in found]
    for part, process in found:
        with contextlib.suppress(psutil.Error):
            family += process.children(recursive=True)
            process.send_signal(signal.SIGCONT)
            process.send_signal(part.stop_signal)
    _, alive = psutil.wait_procs(family, timeout=GRACE_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=GRACE_SECONDS)


def turn_over(log: Path) -> None:
    """Keeps the log of the run before as `<name>.1`, and no older one."""
    if log.exists():
        log.replace(_older(log))


def limit(log: Path) -> None:
    """Moves a log that has grown too large to `<name>.1`, while its process goes on writing."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            # The process holds the file open, for appending: a copy, then, not a new name.
            shutil.copyfile(log, _older(log))
            os.truncate(log, 0)


def tail(log: Path, lines: int = TAIL_LINES) -> list[str]:
    """Returns the last lines of ``log``."""
    try:
        with log.open(errors="replace") as text:
            return [line.rstrip("\n") for line in deque(text, maxlen=lines)]
    except OSError:
        return []


def _older(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")
