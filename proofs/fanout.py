"""How long a rotated key takes to reach many proxies: one router's xDS server, simulated clients.

`python -m proofs.fanout` runs it alone. `COUNT=` says how many clients. They are edges that speak
delta xDS over a TLS connection each, in a process of their own; the router checks and validates
what it publishes, as it does outside of a proof. A time goes from the router's learning of the key
to the moment at which a client has it.
"""

import asyncio
import base64
import datetime as dt
import itertools
import json
import logging
import os
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from proofs import report
from proofs.lab.load import percentile
from services.chassis import contract, topology
from services.chassis.keys import Jwk
from services.chassis.topology import Topology
from services.router import ads_server, certificate_files, endpoints, gate, nodes, renewal
from services.router.ads_server import ServerIdentity
from services.router.authority import Authority
from services.router.cache import SnapshotCache
from services.router.certificates import CertificateSource
from services.router.discovery import AdsServicer
from services.router.gate import Gate
from services.router.leaf import Certificates
from services.router.publish import Publisher
from services.router.registry import Registry
from services.router.translate import Facts

TOPOLOGY = Path(__file__).parents[1] / "deploy" / "topology.yaml"
REGION = "eu-central-1"
CLIENTS = 500
ROTATIONS = 5
LIMIT_SECONDS = 120.0
METHODS = contract.methods()
SERVICES = tuple(sorted({method.service for method in METHODS}))


async def converge(clients: int = CLIENTS, rotations: int = ROTATIONS) -> list[float]:
    """Returns for each client and rotation how many milliseconds the new key took."""
    async with AsyncExitStack() as stack:
        stack.enter_context(_quiet())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hemline-fanout-")))
        router = Router(folder)
        registration = AdsServicer(router.cache, router.region, router.registry).register
        serving = ads_server.serving("127.0.0.1:0", router.identity, [registration])
        port = await stack.enter_async_context(serving)
        running = asyncio.create_task(router.publisher.run())
        stack.callback(running.cancel)
        router.rotate()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "proofs.fanout_clients"),
            *(f"127.0.0.1:{port}", str(folder), REGION, str(clients)),
            stdout=asyncio.subprocess.PIPE,
        )
        stack.push_async_callback(_end, process)
        return await _times(router, process, rotations)


async def _times(router: "Router", process: Process, rotations: int) -> list[float]:
    """Rotates when every client has the key before. The clients tell when each got it."""
    assert process.stdout is not None  # It is a pipe.
    times: list[float] = []
    begun = 0.0
    for turn in range(rotations + 1):
        async with asyncio.timeout(LIMIT_SECONDS):
            arrived: list[float] = json.loads(await process.stdout.readline())
            while not router.in_sync(len(arrived)):  # They have acknowledged it, too.
                await asyncio.sleep(0.01)
        if turn:
            times += [(one - begun) * 1000 for one in arrived]
        begun = time.monotonic()
        router.rotate()
    return times


class Router:
    """What a router has of one region, without its API and its database."""

    def __init__(self, folder: Path) -> None:
        self.topology = topology.load(TOPOLOGY)
        self.region = self.topology.regions[REGION]
        certificates = _certificates(self.topology, folder)
        self.identity = ServerIdentity(self.region, certificates)
        facts = Facts(
            REGION, self.topology, _endpoints(self.topology), {}, METHODS, 1.0, certificates
        )
        self.cache = SnapshotCache(facts.nodes)
        self.publisher = Publisher(facts, self.cache, Gate(gate.find("")))
        self.registry = Registry()
        self._numbers = itertools.count()

    def rotate(self) -> None:
        """Every jurisdiction has a new key."""
        number = next(self._numbers)
        keys = {
            name: (_key(f"{name}-{number}", one.issuer),)
            for name, one in self.topology.jurisdictions.items()
        }
        self.publisher.update(keys=keys)

    def in_sync(self, clients: int) -> bool:
        snapshot = self.cache.get(nodes.edge(REGION))
        found = [one for one in self.registry.proxies() if one.streams]
        wanted = snapshot.version if snapshot else None
        return len(found) == clients and all(one.good_version == wanted for one in found)


def _certificates(found: Topology, folder: Path) -> Certificates:
    now = dt.datetime.now(dt.UTC)
    made = {name: Authority.create(name, now) for name in found.jurisdictions}
    bundles = {name: authority.certificate_pem for name, authority in made.items()}
    region = found.regions[REGION]
    names = [*certificate_files.required(SERVICES), *(f"client-{one}" for one in SERVICES)]
    renewal.establish(folder, region, names, made[region.jurisdiction], bundles, now)
    return CertificateSource(folder, found, REGION, SERVICES).load()


def _endpoints(found: Topology) -> endpoints.Endpoints:
    """Two hosts for each service. Nobody listens there."""
    document = {
        "regions": {
            region: {
                "edge": {"listen": f"10.0.{i}.1:443"},
                "services": {
                    service: [
                        {"sidecar": f"10.0.{i}.{10 * k + n}:8443", "app": f"127.0.0.1:{9000 + k}"}
                        for n in range(2)
                    ]
                    for k, service in enumerate(SERVICES, start=1)
                },
            }
            for i, region in enumerate(found.regions)
        }
    }
    return endpoints.parse(document, found, set(SERVICES))


def _key(kid: str, issuer: str) -> Jwk:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(value.to_bytes(32, "big")).decode().rstrip("=")
        for value in (numbers.x, numbers.y)
    )
    return Jwk(kid, issuer, x, y)


@contextmanager
def _quiet() -> Iterator[None]:
    """The router's log costs what it always does, and goes nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        structlog.configure(
            processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.WriteLoggerFactory(nowhere),
        )
        try:
            yield
        finally:
            structlog.reset_defaults()


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _alone(clients: int) -> dict[str, Any]:
    times = await converge(clients)
    return {
        "clients": clients,
        "converge_p50_ms": report.rounded(percentile(times, 0.5)),
        "converge_p99_ms": report.rounded(percentile(times, 0.99)),
        "converge_max_ms": report.rounded(max(times)),
    }


PROMISE = report.Promise(at_most={"converge_p99_ms": 500})


if __name__ == "__main__":
    report.run(_alone(report.count(CLIENTS)), PROMISE)
