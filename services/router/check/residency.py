"""Where hosts are: in the jurisdiction of the tenants, and at an address that can be looked up."""

from collections.abc import Iterator

from services.router import xds_types
from services.router.check.doors import OVER_ADS
from services.router.check.plain import Plain, dicts, unknown_fields
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

ASSIGNMENT = frozenset({"@type", "cluster_name", "endpoints", "policy"})
LOCALITY = frozenset({"locality", "priority", "load_balancing_weight", "lb_endpoints"})


def problems(facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    yield from _residency(facts, snapshot)
    yield from _sockets(snapshot)
    for name, found in snapshot.of(xds_types.CLUSTER).items():
        yield from _discovery(name, found.plain)
    for name, found in snapshot.of(xds_types.ENDPOINTS).items():
        yield from _assignment(f"endpoints {name}", found.plain)


def _residency(facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    """A home region's cluster holds sidecars of its service, within its jurisdiction."""
    for name, found in snapshot.of(xds_types.ENDPOINTS).items():
        service, _, home = name.partition("|")
        home = home.partition("|")[0]
        if home not in facts.topology.regions:
            yield f"cluster {name} is for tenants of an unknown region"
            continue
        owners = sidecars(facts, service.removesuffix("-open"))
        allowed = set(facts.topology.jurisdiction_of(home).regions)
        for address in addresses(found.plain):
            for region in sorted(owners.get(address, {"nowhere"}) - allowed):
                yield f"cluster {name} holds {address}, which is in {region}"


def _sockets(snapshot: Snapshot) -> Iterator[str]:
    """Of any other kind of address nobody can say in which region it is."""
    for kind in xds_types.ORDER:
        for name, found in snapshot.of(kind).items():
            for one in found.mappings:
                address = one.get("address")
                if isinstance(address, dict) and not _is_socket(address):
                    yield f"{name} has an address that is no socket"
                for host in one.get("lb_endpoints", ()):
                    if "address" not in host.get("endpoint", {}):
                        yield f"{name} has a host without an address"


def _is_socket(address: Plain) -> bool:
    socket = address.get("socket_address", {})
    return address.keys() == {"socket_address"} and socket.keys() == {"address", "port_value"}


def _discovery(name: str, cluster: Plain) -> Iterator[str]:
    """Hosts stand in the snapshot, under the cluster's own name."""
    kind = cluster.get("type", "STATIC")
    if kind not in {"STATIC", "EDS"} or "cluster_type" in cluster:
        yield f"cluster {name} finds its hosts by {kind}"
    discovery = cluster.get("eds_cluster_config", {})
    if kind == "EDS" and discovery.get("eds_config") != OVER_ADS:
        yield f"cluster {name} takes endpoints from elsewhere than ADS"
    other = discovery.get("service_name", name)
    other = cluster.get("load_assignment", {}).get("cluster_name", other)
    if other != name:
        yield f"cluster {name} takes endpoints of {other}"


def _assignment(where: str, body: Plain) -> Iterator[str]:
    """Hosts and their addresses, and no other way to say where to send, or whom not to ask."""
    yield from unknown_fields(where, body, ASSIGNMENT)
    yield from unknown_fields(where, body.get("policy", {}), frozenset({"overprovisioning_factor"}))
    for locality in body.get("endpoints", ()):
        yield from unknown_fields(where, locality, LOCALITY)
        for host in locality.get("lb_endpoints", ()):
            yield from unknown_fields(where, host, frozenset({"endpoint"}))
            yield from unknown_fields(where, host.get("endpoint", {}), frozenset({"address"}))


def sidecars(facts: Facts, service: str) -> dict[str, set[str]]:
    """In which region each address of a sidecar of ``service`` is, by the endpoints file."""
    owners: dict[str, set[str]] = {}
    for region, found in facts.endpoints.items():
        for host in found.services.get(service, ()):
            owners.setdefault(str(host.sidecar), set()).add(region)
    return owners


def addresses(body: Plain) -> Iterator[str]:
    for one in dicts(body):
        if "port_value" in one:
            ip = one.get("address", "")
            yield f"[{ip}]:{one['port_value']}" if ":" in ip else f"{ip}:{one['port_value']}"
