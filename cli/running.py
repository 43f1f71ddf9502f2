"""The local world that runs now, for the commands that work on its processes."""

from pathlib import Path

from cli.problems import WORLD_DOWN, WORLD_DOWN_HINT, Problem
from deploy.local import claim, state
from deploy.local import world as worlds
from deploy.local.places import places
from deploy.local.state import WorldStatus
from deploy.local.world import World


def running(folder: Path | None) -> tuple[World, WorldStatus]:
    """The world in ``folder``, else in the one that HEMLINE_WORLD names.

    Raises:
        Problem: it does not run.
        PlanError: its files have been spoilt.
    """
    here = places(folder)
    found = state.read(here.status)
    if found is None or not claim.held(here.folder):
        raise Problem("the world does not run", WORLD_DOWN_HINT, WORLD_DOWN)
    world = worlds.load(
        here, found.base_port, found.edge_port, routers=found.routers, latency=found.latency
    )
    return world, found
