"""The README's tour is run as it stands, but for the ports of the world."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.support.world import EDGES, World

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh tour( fails)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
REAL_PORTS = dict(zip(("8081", "8082", "8083"), map(str, EDGES.values()), strict=True))


def test_the_tour_does_what_it_says(world: World) -> None:
    text = (ROOT / "README.md").read_text()
    script = ["set -eo pipefail"]
    for fails, commands in BLOCK.findall(text):
        if "grpcurl" in commands and not shutil.which("grpcurl"):
            continue  # No Go to install it with; test_grpcurl makes these calls with `buf curl`.
        # `head` closes the pipe early; that is no failure of the command before it.
        plain = commands.replace(" | head -20", " > /dev/null")
        script.append(
            f"if ( {plain} ); then echo 'this should fail'; exit 1; fi" if fails else plain
        )
    assert len(script) > 4
    lines = "\n".join(script)
    for port, real in REAL_PORTS.items():
        lines = lines.replace(f"127.0.0.1:{port}", f"127.0.0.1:{real}")
    done = subprocess.run(
        ["bash", "-c", lines],
        cwd=ROOT,
        env=world.environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
