"""Who listens where in a lab. Plain data; nothing here starts anything."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from proofs.lab.ports import Ports
from services.chassis import contract, topology
from services.chassis.topology import Topology

TOPOLOGY = Path(__file__).parents[2] / "deploy" / "topology.yaml"
SERVICE = "inventory"
"""The service that is called."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of lab."""

    routers: int = 2  # For each region.
    hosts: int = 2  # Sidecars with a backend each, of the service that is called.
    suite: bool = False  # The other services run as well, on one host each.
    wan: bool = False  # A relay stands between regions: it delays and cuts.
    latency: bool = False  # It delays by the topology's round trips.
    delay_ms: float = 0.0  # What a backend takes.
    poison: str = ""  # Path that every backend answers UNAVAILABLE.


@dataclass(frozen=True, slots=True)
class HostPlan:
    region: str
    service: str
    number: int  # From 1.
    sidecar: str
    admin: str  # Of the sidecar.
    app: str

    @property
    def node(self) -> str:
        return f"sidecar/{self.region}/{self.service}/{self.number}"

    @property
    def name(self) -> str:
        """How the backend calls itself."""
        return f"{self.region}/{self.number}"


@dataclass(frozen=True, slots=True)
class RegionPlan:
    name: str
    edge: str
    edge_admin: str
    identity: str
    postgres: str
    routers: tuple[str, ...]  # Their APIs.
    ads: tuple[str, ...]  # Their xDS servers, in the same order.
    hosts: tuple[HostPlan, ...]  # Of the service that is called.
    others: tuple[HostPlan, ...]  # Of the other services. Only in a suite does anything run there.

    @property
    def all_hosts(self) -> tuple[HostPlan, ...]:
        return (*self.hosts, *self.others)


@dataclass(frozen=True)
class Plan:
    shape: Shape
    topology: Topology
    regions: dict[str, RegionPlan]
    wan: dict[tuple[str, str], str] = field(default_factory=dict)
    """`(region that asks, address there)` to the relay's address for it. Empty without one."""

    def seen_from(self, asker: str, owner: str, address: str) -> str:
        """Where ``asker`` finds what listens at ``address`` in ``owner``."""
        return address if asker == owner else self.wan.get((asker, address), address)

    def siblings(self, region: str) -> tuple[str, ...]:
        """The regions of the same jurisdiction, this one among them."""
        return self.topology.jurisdiction_of(region).regions

    def ways(self) -> Iterator[tuple[str, str, str, str]]:
        """Of the relay: the region that asks, the one that is asked, relay's and real address."""
        for asker in self.regions:
            for owner, address in _called(self.topology, self.regions, asker):
                if (asker, address) in self.wan:
                    yield asker, owner, self.wan[asker, address], address


def plan(shape: Shape) -> Plan:
    """Draws up a lab on free ports."""
    ports = Ports()
    found = topology.load(TOPOLOGY)
    services = sorted({method.service for method in contract.methods()} - {SERVICE})
    regions = {name: _region(name, shape, ports, services) for name in found.regions}
    wan = {
        (asker, address): ports.one()
        for asker in regions
        for _, address in _called(found, regions, asker)
        if shape.wan
    }
    return Plan(shape, found, regions, wan)


def _called(
    found: Topology, regions: dict[str, RegionPlan], asker: str
) -> Iterator[tuple[str, str]]:
    """What ``asker`` calls in other regions: the region, and the address there."""
    family = found.jurisdiction_of(asker).regions
    for name, region in regions.items():
        if name == asker:
            continue
        yield from ((name, host.sidecar) for host in region.all_hosts)
        yield name, region.identity
        if name in family:
            yield name, region.postgres


def _region(name: str, shape: Shape, ports: Ports, others: list[str]) -> RegionPlan:
    one = ports.one
    identity, routers = one(), tuple(one() for _ in range(shape.routers))
    numbers = range(1, shape.hosts + 1)
    return RegionPlan(
        name,
        edge=one(),
        edge_admin=one(),
        identity=identity,
        postgres=one(),
        routers=routers,
        ads=tuple(one() for _ in range(shape.routers)),
        hosts=tuple(HostPlan(name, SERVICE, n, one(), one(), one()) for n in numbers),
        others=tuple(
            # Identity's stand-in answers whatever it is asked, and for the forecast as well.
            HostPlan(
                name, service, 1, one(), one(), routers[0] if service == "router" else identity
            )
            for service in others
        ),
    )
