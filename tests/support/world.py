"""The local world itself, started by its own command on ports and in a folder of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from deploy.local import world as worlds
from deploy.local.places import places
from tests.support.servers import listening

HEMLINE = str(Path(sys.executable).parent / "hemline")
BASE_PORT = 23000
EDGE_PORT = 18081
EDGES = {"eu-central-1": EDGE_PORT, "eu-west-1": EDGE_PORT + 1, "us-east-1": EDGE_PORT + 2}
EU_PLANNER = "planner@atelier-nord.example"
US_PLANNER = "planner@harbor-and-pine.example"
START_SECONDS = 180


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "HEMLINE_WORLD": str(folder), "NO_COLOR": "1"}
        self.places = places(folder)
        self.token = cache(self._token)

    def drawn(self) -> worlds.World:
        """What runs, as the commands for its processes see it."""
        return worlds.load(self.places, BASE_PORT, EDGE_PORT)

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs `hemline` with these words in this world."""
        done = subprocess.run(
            [HEMLINE, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"hemline {' '.join(words)}: {done.stderr or done.stdout}")
        return done

    def status(self) -> Any:
        return json.loads(self.run("status", "--json", check=False).stdout)

    def _token(self, email: str) -> str:
        return self.run("token", "--user", email).stdout.strip()


@contextmanager
def world() -> Iterator[World]:
    """A world of three regions with its demo retailers. Nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hemline-test-world-"))
    folder.chmod(0o755)
    started = World(folder)
    ports = ["--base-port", str(BASE_PORT), "--edge-port", str(EDGE_PORT)]
    try:
        started.run("up", "--detach", *ports)
        yield started
    finally:
        started.run("down")
        left = [port for port in EDGES.values() if listening(port)]
        assert not left, f"still listening after `hemline down`: {left}"
        shutil.rmtree(folder)
