"""The ways to the same fast backend: direct, through two bare Envoys, through edge and sidecar."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.router import envoys
from proofs.lab import admin, databases
from proofs.lab.lab import Lab
from proofs.lab.plan import Shape
from proofs.lab.ports import Ports
from proofs.lab.process import Process

REGION = "eu-central-1"
READY_SECONDS = 60.0
REQUESTS = r"^http\.in\.downstream_rq_total$"


@dataclass(frozen=True)
class Way:
    """One way: where it begins, and the proxies on it."""

    address: str
    hops: tuple[Process, ...] = ()

    def cpu_seconds(self) -> float:
        """What its proxies have used since their start."""
        used = 0.0
        for hop in self.hops:
            times = psutil.Process(hop.pid).cpu_times()
            used += times.user + times.system
        return used


@dataclass
class Bench:
    """Everything that runs."""

    lab: Lab
    token: str
    folder: Path
    fast_admin: str
    paths: dict[str, Way] = field(default_factory=dict)

    async def answered(self) -> int:
        """Requests that the fast backend has answered."""
        return await admin.total(self.fast_admin, REQUESTS)


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    """Runs all of it until left. Of the lab, one region with one host and one router."""
    folder.chmod(0o755)
    lab = Lab(Shape(routers=1, hosts=1), folder)
    region, ports = lab.regions[REGION], Ports()
    host, fast_admin = region.plan.hosts[0], ports.one()
    first, second, health = ports.one(), ports.one(), region.plan.identity
    admins = [fast_admin, ports.one(), ports.one()]
    fast = envoys.process("fast", envoys.fast(host.app, fast_admin, health), folder)
    bare = (
        envoys.process("bare-1", envoys.bare(first, admins[1], second), folder),
        envoys.process("bare-2", envoys.bare(second, admins[2], host.app), folder),
    )
    full = (region.edge, region.sidecars[0])
    started = [region.postgres, region.identity, *region.routers, fast, *bare, *full]
    try:
        await databases.prepare(lab.plan, folder)
        for process in started:
            process.start()
        made = Bench(lab, lab.tokens.of_home[REGION][0], folder, fast_admin)
        made.paths = {
            "direct": Way(host.app),
            "two_bare_hops": Way(first, bare),
            "full": Way(region.plan.edge, full),
        }
        await _ready(lab, admins)
        yield made
    finally:
        await asyncio.gather(*(process.stop() for process in started))


async def _ready(lab: Lab, admins: list[str]) -> None:
    gauge = rf"^cluster\.inventory\|{REGION}\.membership_healthy$"
    async with asyncio.timeout(READY_SECONDS):
        for where in admins:
            while not await admin.live(where):
                await asyncio.sleep(0.05)
        while not await admin.total(lab.plan.regions[REGION].edge_admin, gauge):
            await asyncio.sleep(0.05)
