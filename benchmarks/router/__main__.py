"""`make bench-router COUNT=5`: rounds. Prints one JSON object as its last line."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.router import h2load, mesh, snapshots, tenants
from benchmarks.router.paths import bench
from proofs import report

ROUNDS = 5


async def measure(rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="hemline-bench-") as folder:
        async with bench(Path(folder)) as made:
            figures = await mesh.measure(made, rounds)
            flat = await tenants.measure(made)
    return {**figures, "snapshots": snapshots.measure(), "tenants": flat}


if __name__ == "__main__":
    try:
        h2load.check()
    except h2load.H2loadError as missing:
        sys.exit(f"bench-router: {missing}")
    report.run(measure(report.count(ROUNDS)), report.Promise())
