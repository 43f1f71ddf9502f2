import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import claim
from deploy.local.places import ROOT, Places
from deploy.local.state import PartStatus, WorldStatus, read

WAIT_SECONDS = 30


class Tiny:
    """A world of tiny parts in a folder of its own, under a supervisor in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder)
        self.supervisor: subprocess.Popen[str] | None = None

    def start(self, *parts: dict[str, Any]) -> None:
        words = [sys.executable, "-m", "tests.e2e.world.tiny", str(self.places.folder)]
        self.supervisor = subprocess.Popen(
            [*words, json.dumps(parts)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )

    def status(self) -> WorldStatus:
        return read(self.places.status) or WorldStatus()

    def part(self, name: str) -> PartStatus:
        return self.status().parts[name]

    def until(self, holds: Callable[[WorldStatus], bool]) -> WorldStatus:
        """Waits until the status is so. Fails if it never is."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds(found := self.status()):
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def wrote(self, status: WorldStatus) -> bool:
        """Whether the status is of the supervisor last started, not of one before it."""
        started, found = self.supervisor, status.supervisor
        return started is not None and found is not None and found.pid == started.pid

    def send(self, number: signal.Signals) -> None:
        assert self.supervisor is not None
        os.kill(self.supervisor.pid, number)

    def ended(self) -> tuple[int, str]:
        """Waits for the supervisor's end. Returns its exit code and what it said."""
        assert self.supervisor is not None
        _, said = self.supervisor.communicate(timeout=WAIT_SECONDS)
        return self.supervisor.returncode, said


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    made = Tiny(tmp_path / "world")
    yield made
    if made.supervisor is not None:
        made.supervisor.terminate()
        made.ended()
        claim.clear(made.places.status)
