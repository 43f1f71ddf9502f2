"""Runs the commands of a page of the documentation, as they stand, in a world."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.support.world import EDGES, World

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh tour( fails)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
REAL_PORTS = dict(zip(("8081", "8082", "8083"), map(str, EDGES.values()), strict=True))
SECONDS = 300


def script(page: Path) -> str:
    """The page's blocks as one script that ends at the first failure, for the world's ports.

    A block `sh tour fails` must fail. One with `grpcurl` is left out on a machine without it.
    """
    lines = ["set -eo pipefail"]
    for fails, commands in BLOCK.findall(page.read_text("utf-8")):
        if "grpcurl" in commands and not shutil.which("grpcurl"):
            continue  # No Go to install it with; test_grpcurl makes these calls with `buf curl`.
        # `head` closes the pipe early; that is no failure of the command before it.
        plain = commands.replace(" | head -20", " > /dev/null")
        lines.append(
            f"if ( {plain} ); then echo 'this should fail'; exit 1; fi" if fails else plain
        )
    text = "\n".join(lines)
    for port, real in REAL_PORTS.items():
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{real}")
    return text


def take(world: World, page: Path) -> str:
    """Runs the page's commands from the repository's root. Returns what they print."""
    done = subprocess.run(
        ["bash", "-c", script(page)],
        cwd=ROOT,
        env=world.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
