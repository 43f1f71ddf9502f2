"""Stops the parts of a world, each after those that need it."""

import asyncio
from collections.abc import Mapping, Sequence

from deploy.local import process
from deploy.local.board import Board
from deploy.local.parts import Part
from deploy.local.state import PartState, WorldState


async def stop_all(
    parts: Sequence[Part], running: Mapping[str, asyncio.subprocess.Process], board: Board
) -> None:
    """Stops ``running``. What has failed keeps that state, and so does the world."""
    gone = {part.name: asyncio.Event() for part in parts}

    async def stop(part: Part) -> None:
        for user in parts:
            if part.name in user.needs:
                await gone[user.name].wait()
        if part.name in running:
            await process.stop(running[part.name], part.stop_signal)
            board.ended(part)
        if board.status.parts[part.name].state is not PartState.FAILED:
            board.become(part, PartState.STOPPED)
        gone[part.name].set()

    await asyncio.gather(*(stop(part) for part in parts))
    board.status.supervisor = None
    board.world(WorldState.FAILED if board.status.problem else WorldState.STOPPED)
