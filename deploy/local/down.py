"""Stops a world from outside."""

import os
import signal
import time
from contextlib import suppress

from deploy.local import claim, state
from deploy.local.places import Places
from deploy.local.state import WorldState

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.05


def down(places: Places) -> list[str]:
    """Stops the world in ``places`` and waits until it is gone. Returns the parts that ran.

    A supervisor that does not end is killed, and its parts are stopped from here.
    """
    before = state.read(places.status)
    ran = [part.name for part, _ in before.leftovers()] if before else []
    if claim.held(places.folder):
        _stop_supervisor(places)
    # Nothing runs now but what a killed supervisor has left. The folder is held meanwhile, so that
    # no new one starts on top of it.
    if places.folder.exists():
        with suppress(claim.Taken), claim.claim(places.folder):
            claim.clear(places.status)
            _note(places)
    return ran


def _stop_supervisor(places: Places) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        found = state.read(places.status)
        supervisor = found.supervisor.find() if found and found.supervisor else None
        if supervisor is not None:
            with suppress(ProcessLookupError):
                os.kill(supervisor.pid, number)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while claim.held(places.folder) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def _note(places: Places) -> None:
    found = state.read(places.status)
    if found is not None and found.supervisor is not None:
        found.supervisor, found.state = None, WorldState.STOPPED
        for part in found.parts.values():
            part.process, part.state = None, state.PartState.STOPPED
        found.write(places.status)
