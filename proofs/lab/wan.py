"""The network between regions: how long it takes, and who is cut off."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deploy.local import routes
from deploy.local.routes import Mode, Route
from proofs.lab.plan import Plan

APPLIED_SECONDS = 5.0


class Wan:
    """The relay's routes. Nothing happens without a relay in the lab's shape."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.file = folder / "routes.json"
        self._routes = [
            Route(listen, to, asker, owner, delay_ms=_delay(plan, asker, owner))
            for asker, owner, listen, to in plan.ways()
        ]
        self._write()

    async def cut(self, between: Callable[[str, str], bool]) -> None:
        """Lets nothing pass from region to region where ``between(asker, asked)`` says so."""
        await self._set(Mode.CUT, between)

    async def isolate(self, region: str) -> None:
        """Cuts ``region`` off, both ways."""
        await self.cut(lambda asker, asked: region in (asker, asked))

    async def heal(self) -> None:
        """Lets everything pass."""
        await self._set(Mode.OPEN, lambda _asker, _asked: True)

    async def _set(self, mode: Mode, between: Callable[[str, str], bool]) -> None:
        self._routes = [
            replace(one, mode=mode) if between(one.from_region, one.to_region) else one
            for one in self._routes
        ]
        self._write()
        await self.applied()

    async def applied(self) -> None:
        """Waits until the relay does as the file says."""
        async with asyncio.timeout(APPLIED_SECONDS):
            while not routes.applied(self.file):
                await asyncio.sleep(0.005)

    def _write(self) -> None:
        routes.write(self.file, self._routes)


def _delay(plan: Plan, asker: str, owner: str) -> float:
    round_trip = plan.topology.latency_ms(asker, owner) if plan.shape.latency else 0.0
    return (round_trip or 0.0) / 2
