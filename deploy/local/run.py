"""From a folder to a running world, and back to nothing."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from deploy.local import certificates, claim, faults, files, limits, plan
from deploy.local import world as worlds
from deploy.local.board import Board
from deploy.local.parts import Part, PlanError
from deploy.local.places import Places
from deploy.local.state import ProcessId, WorldState, WorldStatus
from deploy.local.supervisor import StartFailed, Supervisor

TICK_SECONDS = 0.1
PROBLEMS = (claim.Taken, PlanError, StartFailed)
"""What `run` raises when the world cannot be. Each says why."""


async def run(
    places: Places,
    status: WorldStatus,
    draw: Callable[[], Sequence[Part]],
    show: Callable[[WorldStatus], None] = lambda _: None,
) -> None:
    """Runs the world in ``places`` until SIGINT, SIGTERM or SIGHUP. A second signal kills.

    Args:
        places: its files.
        status: says which ports, and is kept up to date.
        draw: prepares the files and returns the parts, in an order in which they can be started.
        show: called ten times a second with the status.

    Raises:
        Taken, PlanError, StartFailed: nothing runs.
    """
    with claim.claim(places.folder):
        claim.clear(places.status)
        status.supervisor = ProcessId.of(os.getpid())
        board = Board(places, status)
        try:
            parts = draw()
            claim.check_ports(parts)
            board.draw(parts)
        except PROBLEMS as error:
            status.supervisor = None
            board.world(WorldState.FAILED, str(error))
            raise
        renewing = asyncio.create_task(certificates.keep(places))
        try:
            supervisor = Supervisor(parts, board, lambda: faults.held(places.faults))
            await _supervise(supervisor, status, show)
        finally:
            renewing.cancel()


def draw(
    places: Places, status: WorldStatus, *, seed: bool = True, fresh: bool = False
) -> list[Part]:
    """Writes the files of the world in ``places`` and returns its parts.

    Args:
        places: its files.
        status: says which ports, how many routers, and whether distance takes time.
        seed: whether to make the demo retailers, if they are not there.
        fresh: whether to drop the data first.

    Raises:
        PlanError: why it cannot be.
    """
    if fresh:
        drop(places)
    world = worlds.load(
        places,
        status.base_port,
        status.edge_port,
        routers=status.routers,
        latency=status.latency,
    )
    limits.check_inotify(sum(len(files.proxies(world, region)) for region in world.regions))
    files.write(world)
    return plan.parts(world, seed=seed)


async def _supervise(
    supervisor: Supervisor, status: WorldStatus, show: Callable[[WorldStatus], None]
) -> None:
    stop = asyncio.Event()

    def stop_or_kill() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop_or_kill)
    ticker = asyncio.create_task(_tick(status, show))
    try:
        await supervisor.run(stop)
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker
        show(status)


async def _tick(status: WorldStatus, show: Callable[[WorldStatus], None]) -> None:
    while True:
        show(status)
        await asyncio.sleep(TICK_SECONDS)


def drop(places: Places) -> None:
    """Deletes the world's data. Its secrets and replacements stay: they may be of use elsewhere."""
    shutil.rmtree(places.folder / "regions", ignore_errors=True)
    for path in (places.accounts, places.seeded):
        path.unlink(missing_ok=True)
