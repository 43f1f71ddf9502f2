"""One world, before anything of it runs: its regions, their ports, where their servers are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.local import copies, private, replacements
from deploy.local.copies import Copy
from deploy.local.parts import PlanError
from deploy.local.places import TOPOLOGY, Places
from deploy.local.ports import BASE_PORT, EDGE_PORT, HIGHEST_PORT, Ports, region_ports
from deploy.local.postgres import SUPERUSER, Postgres, service_url
from deploy.local.private import Secrets
from deploy.local.replacements import Replacements
from deploy.local.wan import Wan
from services.chassis import topology
from services.chassis.topology import Topology

STORES = ("identity", "router", "forecast", "inventory")
"""The services with a database."""
PROVIDER_PORT = 900
MOST_ROUTERS = 2
BLOCK = 1000


@dataclass(frozen=True, slots=True)
class World:
    places: Places
    topology: Topology
    secrets: Secrets
    replaced: Replacements
    base_port: int
    ports: dict[str, Ports]
    wan: Wan
    routers: int = 1  # In each region.

    @property
    def regions(self) -> tuple[str, ...]:
        """In the topology's order."""
        return tuple(self.ports)

    @property
    def provider_port(self) -> int:
        return self.base_port + PROVIDER_PORT

    def siblings(self, region: str) -> tuple[str, ...]:
        """The regions of the jurisdiction, this one included."""
        return self.topology.jurisdiction_of(region).regions

    def postgres(self, region: str) -> Postgres:
        """The embedded server, whether or not it is used."""
        data = self.places.region(region) / "postgres"
        password = self.secrets.of("database", region, SUPERUSER)
        return Postgres(data, self.ports[region].postgres, password)

    def seen(self, copies: Sequence[Copy], at: str) -> tuple[Copy, ...]:
        """The same servers with the ports at which a process of region ``at`` finds them."""
        return tuple(
            replace(copy, server=replace(copy.server, port=port))
            for copy in copies
            for port in [self.wan.port(at, copy.at, copy.server.port)]
        )

    def copies(self, region: str) -> tuple[Copy, ...]:
        """The embedded servers with the data of ``region``: its own first, one at each sibling."""
        if self.replaced.of(region, "postgres"):
            return ()
        own = self.postgres(region)
        number = self.siblings(region).index(region)
        standbys = (
            Copy(region, at, replace(own, data=data, port=self.ports[at].standby(number)))
            for at in self.siblings(region)
            for data in [self.places.region(at) / f"standby-{region}"]
            if at != region
        )
        return (Copy(region, region, own), *standbys)

    def primary(self, region: str) -> Copy:
        """The one of `copies` that takes writes, as the record says now. Raises PlanError."""
        allowed = {each: self.siblings(each) for each in self.regions}
        at = copies.read(self.places.primaries, allowed).get(region, region)
        return next(copy for copy in self.copies(region) if copy.at == at)

    def database_folder(self, region: str) -> Path:
        """Where to remember what was done to the region's databases: lost when they are."""
        if self.replaced.of(region, "postgres"):
            return self.places.region(region)
        return self.primary(region).server.data

    def superuser_url(self, region: str) -> str:
        """Of the server that takes the region's writes."""
        own = self.replaced.of(region, "postgres")
        return own or self.primary(region).server.url(SUPERUSER, "postgres")

    def database_passwords(self, region: str, service: str) -> dict[str, str]:
        """Of the roles `owner` and `app`. Good for one service in one region."""
        return {
            role: self.secrets.of("database", region, service, role) for role in ("owner", "app")
        }

    def database_url(self, region: str, service: str, at: str) -> str:
        """The data of ``region`` for the service of ``at``, wherever the primary may be."""
        return self._service_url(region, service, self.seen(self.copies(region), at))

    def replica_url(self, region: str, service: str, at: str) -> str | None:
        """Where the service of ``at`` reads the data of a sibling: the copy beside it, or any."""
        found = sorted(self.copies(region), key=lambda copy: copy.at != at)
        return self._service_url(region, service, self.seen(found, at)) if found else None

    def _service_url(self, region: str, service: str, servers: Sequence[Copy]) -> str:
        password = self.database_passwords(region, service)["app"]
        own = self.replaced.of(region, "postgres")
        if own:
            return service_url(own, service, "app", password)
        hosts = ",".join(f"127.0.0.1:{copy.server.port}" for copy in servers)
        return f"postgresql://{service}_app:{password}@{hosts}/{service}"

    def redis_url(self, region: str) -> str:
        own = self.replaced.of(region, "redis")
        return own or f"redis://127.0.0.1:{self.ports[region].redis}/0"

    def otlp(self, region: str) -> str:
        return self.replaced.of(region, "otlp") or f"127.0.0.1:{self.ports[region].otlp}"

    @property
    def providers(self) -> str:
        return str(self.replaced.provider or self.places.providers)


def operator_email(region: str) -> str:
    """The e-mail address of the region's operator."""
    return f"operator@{region}.hemline.example"


def load(
    places: Places,
    base_port: int = BASE_PORT,
    edge_port: int = EDGE_PORT,
    *,
    routers: int = 1,
    latency: bool = False,
) -> World:
    """Reads what there is of the world in ``places``, and makes its secrets if there are none.

    Args:
        places: its files.
        base_port: first of a thousand ports.
        edge_port: of the first region's edge; the others follow.
        routers: in each region, 1 or 2.
        latency: whether calls between regions take as long as the topology says.

    Raises:
        PlanError: in one line, what cannot be.
    """
    try:
        found = topology.load(TOPOLOGY)
    except topology.TopologyError as error:
        raise PlanError(f"topology: {error}") from None
    regions = [name for group in found.jurisdictions.values() for name in group.regions]
    _check_ports(regions, base_port, edge_port)
    if not 1 <= routers <= MOST_ROUTERS:
        raise PlanError(f"{routers} routers: a region has one or two")
    ports = region_ports(regions, base_port, edge_port)
    return World(
        places=places,
        topology=found,
        secrets=private.load(places.secrets),
        replaced=replacements.load(
            places.replacements, {region: found.regions[region].jurisdiction for region in regions}
        ),
        base_port=base_port,
        ports=ports,
        wan=Wan(found, ports, latency=latency),
        routers=routers,
    )


def _check_ports(regions: Sequence[str], base_port: int, edge_port: int) -> None:
    if len(regions) * 100 > PROVIDER_PORT:
        raise PlanError(f"the local world has ports for 9 regions, not for {len(regions)}")
    if not 0 < base_port <= HIGHEST_PORT - BLOCK:
        raise PlanError(f"base port {base_port}: a thousand ports must follow it")
    edges = range(edge_port, edge_port + len(regions))
    if not 0 < edge_port <= HIGHEST_PORT - len(regions):
        raise PlanError(f"edge port {edge_port}: not a port")
    if any(base_port <= port < base_port + BLOCK for port in edges):
        raise PlanError(f"edge port {edge_port} lies in the thousand after base port {base_port}")
