"""A world of three jurisdictions of four regions, as facts: nothing in it runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.chassis import contract, topology
from services.chassis.keys import Jwk
from services.chassis.topology import Topology
from services.router import endpoints, spiffe
from services.router.leaf import Certificates, Leaf
from services.router.policy import PERCENT, Policy
from services.router.translate import Facts

JURISDICTIONS = {"EU": "eu", "US": "us", "AP": "ap"}
NUMBER = 4  # Regions of each.
METHODS = contract.methods()
SERVICES = tuple(sorted({method.service for method in METHODS}))
X = "f5r5tiDs8RzjYdPKZfwaWL56duMSlMiqC702FTLDjqQ"
Y = "5OYpEysAd1axtTsAwUqqUqJ1xF4yGSMC_ZVx1ZXBOBU"


def regions_of(prefix: str) -> list[str]:
    return [f"{prefix}-north-{number}" for number in range(1, NUMBER + 1)]


def twelve_regions(foreign_edges: str = "redirect") -> Topology:
    members = {name: regions_of(prefix) for name, prefix in JURISDICTIONS.items()}
    return topology_of(members, foreign_edges)


def topology_of(members: Mapping[str, Sequence[str]], foreign_edges: str = "redirect") -> Topology:
    """Jurisdictions with these regions."""
    document: dict[str, Any] = {
        "jurisdictions": {
            name: {"regions": list(regions), "foreign_edges": foreign_edges}
            for name, regions in members.items()
        },
        "regions": {
            region: {
                "endpoint": f"https://{region}.example",
                # Each its own order: the next ones, around.
                "failover": [*regions[i + 1 :], *regions[:i]],
            }
            for regions in members.values()
            for i, region in enumerate(regions)
        },
        "edge": {"cors_origins": ["https://app.example"], "reflection": False},
    }
    return topology.parse(document)


def _endpoints(found: Topology) -> endpoints.Endpoints:
    """Region i has the addresses 10.0.i.*, two hosts a service."""
    document = {
        "regions": {
            region: {
                "edge": {"listen": f"10.0.{i}.1:443"},
                "otlp": f"10.0.{i}.2:4317",
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


def _certificates(found: Topology, region: str) -> Certificates:
    """Names for certificates: what checks them here only compares."""
    here = found.regions[region]
    names = [spiffe.edge(here), *(spiffe.sidecar(here, service) for service in SERVICES)]
    leaves = {name: Leaf(f"chain of {name}".encode(), b"key") for name in names}
    bundles = {name: f"authority of {name}".encode() for name in found.jurisdictions}
    return Certificates(leaves, bundles)


class World:
    """Facts of each region's router, under any drains of its own jurisdiction."""

    def __init__(self, found: Topology) -> None:
        self.topology = found
        self.regions = tuple(found.regions)
        self._endpoints = _endpoints(self.topology)
        self._keys = {
            name: (Jwk(f"{name}-1", one.issuer, X, Y),)
            for name, one in self.topology.jurisdictions.items()
        }

    def facts(self, region: str, drained: Iterable[str] = (), floor: int = 3) -> Facts:
        """What the router of ``region`` knows: of policies, that of its own jurisdiction."""
        own = self.topology.jurisdiction_of(region)
        policy = Policy(
            drained={name: PERCENT for name in drained if name in own.regions},
            home_epoch_floor=floor,
        )
        return Facts(
            region,
            self.topology,
            self._endpoints,
            self._keys,
            METHODS,
            1.0,
            _certificates(self.topology, region),
            {own.name: policy},
        )
