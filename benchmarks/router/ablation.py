"""Where the time goes: the real configuration of edge and sidecar, with one thing taken out of it.

    python -m benchmarks.router.ablation [rounds]

Envoys are started from files instead of over xDS, one variant at a time, in turns. Access logs and
spans go to an Envoy that takes everything.
"""

import asyncio
import copy
import datetime as dt
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.router import envoys, h2load
from benchmarks.router.mesh import ALONE, MICRO, SATURATED
from benchmarks.router.paths import READY_SECONDS, REGION, Way
from proofs import report
from proofs.lab import admin
from proofs.lab.lab import Lab
from proofs.lab.plan import Shape
from proofs.lab.ports import Ports
from proofs.lab.process import Process
from services.chassis import contract
from services.chassis.keys import Jwk
from services.router import addresses, endpoints, gate, nodes
from services.router.certificates import CertificateSource
from services.router.translate import Facts, translate

ROUNDS = 3
PATH = h2load.PATH
JWT, RBAC = "hemline-jwt", "envoy.filters.http.rbac"

Plain = dict[str, Any]
Change = Callable[[Plain], None]
"""Takes something out of a bootstrap, in place."""


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    change: Change
    traced: float | None = None  # Share of calls with spans; None: no collector.


def managers(bootstrap: Plain) -> list[Plain]:
    """The HTTP connection managers."""
    return [
        chained["typed_config"]
        for listener in bootstrap["static_resources"]["listeners"]
        for chain in listener["filter_chains"]
        for chained in chain["filters"]
    ]


def routes(bootstrap: Plain) -> list[list[Plain]]:
    return [
        host["routes"]
        for one in managers(bootstrap)
        for host in one["route_config"]["virtual_hosts"]
    ]


def without_access_log(bootstrap: Plain) -> None:
    for manager in managers(bootstrap):
        manager.pop("access_log", None)


def without_filter(name: str) -> Change:
    def change(bootstrap: Plain) -> None:
        for manager in managers(bootstrap):
            manager["http_filters"] = [
                one for one in manager["http_filters"] if one["name"] != name
            ]

    return change


def without_tls(bootstrap: Plain) -> None:
    for listener in bootstrap["static_resources"]["listeners"]:
        for chain in listener["filter_chains"]:
            chain.pop("transport_socket", None)
    for cluster in bootstrap["static_resources"]["clusters"]:
        cluster.pop("transport_socket", None)


def without_retries(bootstrap: Plain) -> None:
    for listed in routes(bootstrap):
        for route in listed:
            for name in ("retry_policy", "hedge_policy"):
                route.get("route", {}).pop(name, None)


def one_route(bootstrap: Plain) -> None:
    """Keeps the route of the method that is called, for its home region, and the last."""
    for host in routes(bootstrap):
        mine = [
            one
            for one in host
            if one.get("name", "").startswith(REGION) and one["match"].get("path") == PATH
        ]
        host[:] = [*mine, host[-1]]


def without_tokens(bootstrap: Plain) -> None:
    """Nobody reads tokens, and so nobody can route or refuse by them."""
    without_filter(JWT)(bootstrap)
    without_filter(RBAC)(bootstrap)
    for host in routes(bootstrap):
        for route in host:
            route["match"].pop("dynamic_metadata", None)
            route.pop("typed_per_filter_config", None)
        host[:] = [
            one for one in host if not one.get("name", "").startswith(("redirect", "eu-west"))
        ]


def together(*changes: Change) -> Change:
    def change(bootstrap: Plain) -> None:
        for one in changes:
            one(bootstrap)

    return change


RATE_LIMIT = without_filter("envoy.filters.http.local_ratelimit")
VARIANTS = (
    Variant("everything", together()),
    Variant("without access logs", without_access_log),
    Variant("without rate limits", RATE_LIMIT),
    Variant("without RBAC", without_filter(RBAC)),
    # RBAC asks for the certificate's name: without TLS it lets nobody in.
    Variant("without mTLS and RBAC", together(without_tls, without_filter(RBAC))),
    Variant("without retries and hedging", without_retries),
    Variant("with one route", one_route),
    Variant("without tokens", without_tokens),
    Variant(
        "without all of these",
        together(
            without_access_log, RATE_LIMIT, without_tls, without_retries, without_tokens, one_route
        ),
    ),
    Variant("everything, spans of 1 %", together(), 0.01),
    Variant("everything, spans of all", together(), 1.0),
)


class Kit:
    """The files and addresses of one region, and the Envoys around it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lab = Lab(Shape(routers=1, hosts=1), folder)
        self.plan = self.lab.plan.regions[REGION]
        ports = Ports()
        self._sink, health = ports.one(), self.plan.identity
        first, second, app = ports.one(), ports.one(), self.plan.hosts[0].app
        self._admins = [ports.one() for _ in range(4)]
        made = {
            "fast": envoys.fast(app, self._admins[0], health),
            "sink": envoys.fast(self._sink, self._admins[1], health),
            "bare-1": envoys.bare(first, self._admins[2], second),
            "bare-2": envoys.bare(second, self._admins[3], app),
        }
        self.around = {name: envoys.process(name, one, folder) for name, one in made.items()}
        self.bare = Way(first, (self.around["bare-1"], self.around["bare-2"]))

    async def ready(self) -> None:
        """Waits for the Envoys around."""
        async with asyncio.timeout(READY_SECONDS):
            for where in self._admins:
                while not await admin.live(where):
                    await asyncio.sleep(0.05)

    def proxies(self, variant: Variant) -> tuple[Process, Process]:
        """Edge and sidecar of ``variant``, not started."""
        facts = self._facts(variant.traced)
        found = translate(facts)
        made = []
        for node, where in (
            (nodes.edge(REGION), self.plan.edge_admin),
            (nodes.sidecar(REGION, "inventory", 1), self.plan.hosts[0].admin),
        ):
            config = copy.deepcopy(gate.static(node, found[node]))
            self._complete(config, where)
            variant.change(config)
            made.append(envoys.process(f"{node.kind}", config, self.folder))
        return made[0], made[1]

    def _complete(self, config: Plain, where: str) -> None:
        config["admin"] = {"address": envoys.address(where)}
        for cluster in config["static_resources"]["clusters"]:
            if cluster["name"] == "ads":
                host = {"endpoint": {"address": envoys.address(self._sink)}}
                cluster["load_assignment"] = {
                    "cluster_name": "ads",
                    "endpoints": [{"lb_endpoints": [host]}],
                }
                cluster["typed_extension_protocol_options"] = envoys.HTTP2

    def _facts(self, traced: float | None) -> Facts:
        methods, topology = contract.methods(), self.lab.plan.topology
        services = sorted({method.service for method in methods})
        source = CertificateSource(
            self.folder / REGION / "certificates",
            topology,
            REGION,
            services,
            lambda: dt.datetime.now(dt.UTC),
        )
        found = endpoints.load(self.folder / REGION / "endpoints.yaml", topology, set(services))
        if traced is not None:
            found[REGION] = replace(found[REGION], otlp=addresses.parse(self._sink))
        keys = {
            name: tuple(Jwk(**one) for one in self.lab.tokens.keys(name))
            for name in topology.jurisdictions
        }
        return Facts(REGION, topology, found, keys, methods, traced or 0.0, source.load())

    @asynccontextmanager
    async def running(self, variant: Variant) -> AsyncIterator[Way]:
        hops = self.proxies(variant)
        try:
            for hop in hops:
                hop.start()
            gauge = rf"^cluster\.inventory\|{REGION}\.membership_healthy$"
            async with asyncio.timeout(READY_SECONDS):
                while not await admin.total(self.plan.edge_admin, gauge):
                    await asyncio.sleep(0.05)
            yield Way(self.plan.edge, hops)
        finally:
            await asyncio.gather(*(hop.stop() for hop in hops))


async def _figures(kit: Kit, way: Way) -> tuple[float, float]:
    """p50 in µs alone, and CPU µs of both hops for each call at saturation."""
    token = kit.lab.tokens.of_home[REGION][0]
    alone = await h2load.run(way.address, token, ALONE, kit.folder)
    used = way.cpu_seconds()
    busy = await h2load.run(way.address, token, SATURATED, kit.folder)
    return MICRO * alone.percentile(0.5), MICRO * (way.cpu_seconds() - used) / busy.calls


async def measure(rounds: int) -> dict[str, Any]:
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="hemline-bench-") as folder:
        kit = Kit(Path(folder))
        around = [kit.lab.regions[REGION].identity, *kit.around.values()]
        try:
            for process in around:
                process.start()
            await kit.ready()
            for _ in range(rounds):
                found.setdefault("two bare hops", []).append(await _figures(kit, kit.bare))
                for variant in VARIANTS:
                    async with kit.running(variant) as way:
                        found.setdefault(variant.name, []).append(await _figures(kit, way))
        finally:
            await asyncio.gather(*(process.stop() for process in around))
    return {name: _row(each) for name, each in found.items()}


def _row(each: list[tuple[float, float]]) -> dict[str, float]:
    p50, cpu = (median(values) for values in zip(*each, strict=True))
    return {"p50_us": round(p50, 1), "cpu_us_per_request": round(cpu, 1)}


if __name__ == "__main__":
    report.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS), report.Promise())
