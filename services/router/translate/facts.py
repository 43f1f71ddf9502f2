"""What a snapshot is made from, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.chassis.contract import PUBLIC, Method
from services.chassis.keys import Jwk
from services.chassis.topology import ForeignEdges, Jurisdiction, Topology
from services.router import nodes
from services.router.endpoints import Endpoints, RegionEndpoints
from services.router.leaf import Certificates
from services.router.nodes import Node
from services.router.policy import Policy
from services.router.translate import callers

HEALTH = "/grpc.health.v1.Health/"
REFLECTION = (
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
)


@dataclass(frozen=True)
class Facts:
    region: str  # Of the proxies to be configured.
    topology: Topology
    endpoints: Endpoints
    keys: Mapping[str, tuple[Jwk, ...]]  # By jurisdiction; one without known keys is left out.
    methods: tuple[Method, ...]
    trace_ratio: float  # Share of the traces begun at the edge that are kept.
    certificates: Certificates
    policies: Mapping[str, Policy] = field(default_factory=dict)  # By jurisdiction.

    @property
    def here(self) -> RegionEndpoints:
        return self.endpoints[self.region]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The proxies to be configured: each sidecar, and one for all edges, or clients, alike."""
        sidecars = (
            nodes.sidecar(self.region, service, number)
            for service, found in self.here.services.items()
            for number in range(1, len(found) + 1)
        )
        present = (one for one in callers.all_callers() if one in self.here.services)
        clients = (nodes.client(self.region, service) for service in present)
        return (nodes.edge(self.region), *sidecars, *clients)

    @property
    def jurisdiction(self) -> Jurisdiction:
        return self.topology.jurisdiction_of(self.region)

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted({method.service for method in self.methods}))

    @property
    def public_paths(self) -> tuple[str, ...]:
        return tuple(method.path for method in self.methods if method.access == PUBLIC)

    @property
    def served_homes(self) -> tuple[str, ...]:
        """Home regions whose tenants this edge passes on, and so has clusters for."""
        return tuple(name for name in sorted(self.topology.regions) if self.serves(name))

    @property
    def redirected_homes(self) -> tuple[str, ...]:
        """Home regions whose tenants this edge sends away."""
        return tuple(name for name in sorted(self.topology.regions) if not self.serves(name))

    def policy_of(self, home: str) -> Policy:
        """What holds for tenants of ``home``."""
        return self.policies.get(self.topology.jurisdiction_of(home).name, Policy())

    def serves(self, home: str) -> bool:
        """Whether an edge of this region passes calls of tenants of ``home`` on.

        Abroad only to where it can tell friend from foe.
        """
        jurisdiction = self.topology.jurisdiction_of(home)
        trusted = jurisdiction.name in self.certificates.bundles
        return jurisdiction == self.jurisdiction or (forwarded(jurisdiction) and trusted)


def forwarded(jurisdiction: Jurisdiction) -> bool:
    """Whether edges abroad pass calls of its tenants on."""
    return jurisdiction.foreign_edges is ForeignEdges.FORWARD
