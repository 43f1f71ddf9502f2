"""What a service says at `grpc.health.v1` while its database answers, and while it does not.

A service whose own region's primary is gone says NOT_SERVING, so that edges turn to a sibling.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
from grpc_health.v1 import health, health_pb2

from services.chassis.pulse import Pulse

BEAT_SECONDS = 0.5
MISSED_BEATS = 2
"""One missed beat is a hiccup; as many as this in a row, or as many good ones, are a change."""

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

log = structlog.get_logger()


@asynccontextmanager
async def shown(
    checks: health.aio.HealthServicer, names: Sequence[str], pulse: Pulse | None
) -> AsyncIterator[None]:
    """Shows SERVING for ``names``, or what ``pulse`` says, until left."""
    well = pulse is None or await _beats(pulse)
    await _show(checks, names, well=well)
    if pulse is None:
        yield
        return
    watching = asyncio.create_task(_watch(checks, names, pulse, well=well))
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await pulse.close()


async def _watch(
    checks: health.aio.HealthServicer, names: Sequence[str], pulse: Pulse, *, well: bool
) -> None:
    against = 0  # Beats in a row that speak against what is shown.
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        against = against + 1 if await _beats(pulse) is not well else 0
        if against == MISSED_BEATS:
            well, against = not well, 0
            log.warning("database_health", answers=well)
            await _show(checks, names, well=well)


async def _beats(pulse: Pulse) -> bool:
    try:
        return await pulse.beats()
    except Exception:
        # Whoever cannot tell whether its database is there must not go on saying that it is.
        log.exception("database_health_unknown")
        return False


async def _show(checks: health.aio.HealthServicer, names: Sequence[str], *, well: bool) -> None:
    for name in names:
        await checks.set(name, SERVING if well else NOT_SERVING)
