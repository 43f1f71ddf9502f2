"""The files that a start writes: topology, endpoints, bootstraps, and certificates that are due."""

import json
from pathlib import Path
from typing import Any

import yaml

from deploy.local import accounts, certificates
from deploy.local.demo import RETAILERS
from deploy.local.places import TOPOLOGY
from deploy.local.ports import SERVICES
from deploy.local.world import World, operator_email
from services.router.bootstrap import bootstrap


def write(world: World) -> None:
    """Writes all of them, and makes the accounts of operators and demo users."""
    world.places.folder.mkdir(parents=True, exist_ok=True)
    world.places.topology.write_text(yaml.safe_dump(topology(world), sort_keys=False))
    world.places.endpoints.write_text(yaml.safe_dump(endpoints(world), sort_keys=False))
    certificates.establish(world.places, world.topology)
    for region in world.regions:
        world.places.region(region).mkdir(parents=True, exist_ok=True)
        for path, node, admin_port in proxies(world, region):
            made = bootstrap(
                node,
                [f"127.0.0.1:{world.ports[region].xds}"],
                f"127.0.0.1:{admin_port}",
                certificates.folder(world.places, region),
                world.topology.regions[region],
            )
            path.write_text(json.dumps(made))
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


def endpoints(world: World) -> dict[str, Any]:
    """Where each part listens, as the router reads it."""
    return {
        "regions": {
            region: {
                "edge": {"listen": f"127.0.0.1:{ports.edge}"},
                "otlp": world.otlp(region),
                "services": {
                    service: [
                        {
                            "sidecar": f"127.0.0.1:{ports.sidecar(service)}",
                            "app": f"127.0.0.1:{ports.grpc(service)}",
                        }
                    ]
                    for service in SERVICES
                },
            }
            for region, ports in world.ports.items()
        }
    }


def proxies(world: World, region: str) -> list[tuple[Path, str, int]]:
    """The Envoys of a region: bootstrap file, node id, admin port. The edge comes last."""
    folder, ports = world.places.region(region), world.ports[region]
    sidecars = [
        (
            folder / f"sidecar-{service}.json",
            f"sidecar/{region}/{service}/1",
            ports.sidecar_admin(service),
        )
        for service in SERVICES
    ]
    return [*sidecars, (folder / "edge.json", f"edge/{region}/1", ports.edge_admin)]
