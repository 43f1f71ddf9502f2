"""Processes that are killed, frozen and started again, and of which none is left at the end."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from subprocess import DEVNULL, Popen

STOP_SECONDS = 10.0
ROOT = Path(__file__).parents[2]


class Process:
    """One program. Its output is appended to a log."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._env = env
        self._running: Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    @property
    def alive(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Starts it, unless it runs. Not from a thread: it would end with its thread."""
        if self.alive:
            return
        with self.log.open("ab") as output:
            self._running = Popen(  # noqa: S603  # Our own programs.
                [*_tied(), *self._command],
                env=dict(self._env),
                cwd=ROOT,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C of a terminal is the lab's to hear: it stops the others.
                start_new_session=True,
            )

    def signal(self, number: Signals) -> None:
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(number)

    def freeze(self) -> None:
        self.signal(SIGSTOP)

    def thaw(self) -> None:
        self.signal(SIGCONT)

    def kill(self) -> None:
        """Ends it at once, and what it has started."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, SIGKILL)

    async def stop(self, number: Signals = SIGKILL) -> None:
        """Ends it and waits for it."""
        if self._running is None:
            return
        self.thaw()
        self.signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while self.alive:
                    await asyncio.sleep(0.01)
        self.kill()
        await asyncio.to_thread(self._running.wait)

    def last_words(self, lines: int = 12) -> str:
        """The end of its log, from the first critical line on if there is one."""
        if not self.log.exists():
            return ""
        said = self.log.read_text(errors="replace").splitlines()
        critical = next((n for n, line in enumerate(said) if "[critical]" in line), None)
        end = said[-lines:] if critical is None else said[critical : critical + lines]
        return "\n".join(end)


def environment(**variables: str) -> dict[str, str]:
    """What every program needs, and ``variables``."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, **variables}


def _tied() -> list[str]:
    """Before a command: it ends with the lab, even if that is killed without a word."""
    return ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
