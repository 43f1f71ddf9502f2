"""The supervisor by itself, as `hemline up --detach` starts it. Its log tells what became of it."""

import argparse
import asyncio
import sys
from pathlib import Path

from deploy.local.places import places
from deploy.local.run import PROBLEMS, draw, run
from deploy.local.state import WorldStatus


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", allow_abbrev=False)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--base-port", type=int, required=True)
    parser.add_argument("--edge-port", type=int, required=True)
    parser.add_argument("--routers", type=int, default=1)
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--no-seed", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    given = parser.parse_args()
    here = places(given.folder)
    status = WorldStatus(
        base_port=given.base_port,
        edge_port=given.edge_port,
        routers=given.routers,
        latency=given.latency,
    )
    try:
        asyncio.run(
            run(
                here,
                status,
                lambda: draw(here, status, seed=not given.no_seed, fresh=given.fresh),
            )
        )
    except PROBLEMS as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
