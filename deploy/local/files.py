"""The files that a start writes: topology, endpoints, bootstraps, and certificates that are due."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from deploy.local import accounts, certificates, faults, routes
from deploy.local.demo import RETAILERS
from deploy.local.places import TOPOLOGY
from deploy.local.ports import SERVICES
from deploy.local.world import World, operator_email
from services.router.bootstrap import bootstrap


def write(world: World) -> None:
    """Writes all of them, and makes the accounts of operators and demo users."""
    world.places.folder.mkdir(parents=True, exist_ok=True)
    world.places.topology.write_text(yaml.safe_dump(topology(world), sort_keys=False))
    faults.forget(world.places.faults)
    routes.forget(world.places.routes)
    routes.write(world.places.routes, world.wan.routes())
    certificates.establish(world.places, world.topology)
    for region in world.regions:
        world.places.region(region).mkdir(parents=True, exist_ok=True)
        seen = endpoints(world, region)
        world.places.endpoints(region).write_text(yaml.safe_dump(seen, sort_keys=False))
        numbers = range(1, world.routers + 1)
        ads = [f"127.0.0.1:{world.ports[region].router(number).xds}" for number in numbers]
        for proxy in proxies(world, region):
            made = bootstrap(
                proxy.node,
                ads,
                f"127.0.0.1:{proxy.admin}",
                certificates.folder(world.places, region),
                world.topology.regions[region],
            )
            proxy.bootstrap.write_text(json.dumps(made))
    if world.replaced.provider is None:
        # Written by the provider when it is ready, and waited for.
        world.places.providers.unlink(missing_ok=True)
        for region in world.regions:
            jurisdiction = world.topology.jurisdiction_of(region).name
            accounts.add(world.places.accounts, operator_email(region), jurisdiction)
        for retailer in RETAILERS:
            if retailer.home_region in world.regions:
                accounts.add(world.places.accounts, retailer.planner, retailer.jurisdiction)


def topology(world: World) -> dict[str, Any]:
    """deploy/topology.yaml with the edges of this world."""
    document: dict[str, Any] = yaml.safe_load(TOPOLOGY.read_text("utf-8"))
    for region, ports in world.ports.items():
        document["regions"][region]["endpoint"] = f"http://127.0.0.1:{ports.edge}"
    return document


def endpoints(world: World, at: str) -> dict[str, Any]:
    """Where each part is, as the routers of region ``at`` read it."""
    return {
        "regions": {
            region: {
                "edge": {"listen": f"127.0.0.1:{ports.edge}"},
                "otlp": world.otlp(region),
                "services": {
                    service: [
                        {
                            "sidecar": world.wan.address(at, region, sidecar),
                            "app": f"127.0.0.1:{app}",
                        }
                        for sidecar, app in _hosts(world, region, service)
                    ]
                    for service in SERVICES
                },
            }
            for region, ports in world.ports.items()
        }
    }


def _hosts(world: World, region: str, service: str) -> list[tuple[int, int]]:
    """The ports of sidecar and service, for each copy of it."""
    ports = world.ports[region]
    if service != "router":
        return [(ports.sidecar(service), ports.grpc(service))]
    routers = (ports.router(number) for number in range(1, world.routers + 1))
    return [(router.sidecar, router.grpc) for router in routers]


class Proxy(NamedTuple):
    """One Envoy of a region."""

    part: str
    node: str
    listen: int
    admin: int
    bootstrap: Path


def proxies(world: World, region: str) -> list[Proxy]:
    """The Envoys of a region. The edge comes last."""
    ports, folder = world.ports[region], world.places.region(region)

    def proxy(name: str, node: str, listen: int, admin: int) -> Proxy:
        return Proxy(f"{region}/{name}", node, listen, admin, folder / f"{name}.json")

    found = [
        proxy(
            f"sidecar-{service}",
            f"sidecar/{region}/{service}/1",
            ports.sidecar(service),
            ports.sidecar_admin(service),
        )
        for service in SERVICES
    ]
    for number in range(2, world.routers + 1):
        router = ports.router(number)
        node = f"sidecar/{region}/router/{number}"
        found.append(proxy(f"sidecar-router-{number}", node, router.sidecar, router.sidecar_admin))
    return [*found, proxy("edge", f"edge/{region}/1", ports.edge, ports.edge_admin)]
