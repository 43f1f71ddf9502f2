"""Clients without a proxy: whom they may call, in which regions, and to whom they prove it."""

from collections.abc import Iterator

from services.router import spiffe, xds_types
from services.router.check import choices
from services.router.check.doors import TLS
from services.router.check.plain import Plain, unknown_fields
from services.router.nodes import Node
from services.router.snapshot import Snapshot
from services.router.translate import callers
from services.router.translate.facts import Facts

INSTANCE = {"instance_name": "mesh"}
KINDS = frozenset({xds_types.LISTENER, xds_types.CLUSTER, xds_types.ENDPOINTS})
LISTENER = frozenset({"@type", "name", "api_listener"})
MANAGER = frozenset({"@type", "route_config", "http_filters"})
CONFIGURATION = frozenset({"name", "virtual_hosts"})
HOST = frozenset({"name", "domains", "routes"})
ACTION = frozenset({"cluster", "weighted_clusters", "retry_policy"})
CLUSTER = frozenset(
    {
        "@type",
        "name",
        "type",
        "eds_cluster_config",
        "lb_policy",
        "circuit_breakers",
        "transport_socket",
    }
)
KNOWN = {
    "weighted_clusters": frozenset({"clusters"}),
    "retry_policy": frozenset({"retry_on", "num_retries", "retry_back_off"}),
}


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    for kind in xds_types.ORDER:
        if kind not in KINDS and snapshot.of(kind):
            yield f"a client is sent {kind.rpartition('.')[2]}, which it does not need"
    for name, listener in snapshot.of(xds_types.LISTENER).items():
        service, _, home = name.partition(".")
        if node.service not in callers.CALLERS.get(service, ()):
            yield f"{node.service} may not call {service}"
        if home not in facts.jurisdiction.regions:
            yield f"listener {name} is for tenants of another jurisdiction"
            continue
        yield from _listener(facts, snapshot, listener.plain, service, home)
    for name, cluster in snapshot.of(xds_types.CLUSTER).items():
        yield from _cluster(facts, name, cluster.plain)


def _listener(
    facts: Facts, snapshot: Snapshot, listener: Plain, service: str, home: str
) -> Iterator[str]:
    name = listener["name"]
    manager = listener.get("api_listener", {}).get("api_listener", {})
    filters = [one.get("typed_config", {}) for one in manager.get("http_filters", [])]
    router = [{"@type": f"{xds_types.HTTP_FILTERS}router.v3.Router"}]
    if listener.keys() != LISTENER or manager.keys() != MANAGER or filters != router:
        yield f"listener {name} is told more than it should"
        return
    yield from unknown_fields(f"listener {name}", manager["route_config"], CONFIGURATION)
    seen: set[str] = set()
    for host in manager["route_config"].get("virtual_hosts", ()):
        yield from unknown_fields(f"listener {name}", host, HOST)
        for route in host.get("routes", ()):
            action = route.get("route", {})
            if action.keys() - ACTION or route.keys() - {"match", "route"}:
                yield f"listener {name} has a route that is told more than it should"
            for field in ("weighted_clusters", "retry_policy"):
                yield from unknown_fields(f"listener {name}", action.get(field, {}), KNOWN[field])
            repeated = "retry_policy" in action
            if repeated and not _retryable(facts, route.get("match", {})):
                yield f"listener {name} repeats what may have run"
            found = choices.targets(facts, snapshot, service, action, proxyless=True)
            if str(found) not in seen:
                seen.add(str(found))
                yield from choices.problems(facts, found, service, home)


def _retryable(facts: Facts, match: Plain) -> bool:
    return any(match == {"path": one.path} and one.retryable for one in facts.methods)


def _cluster(facts: Facts, name: str, cluster: Plain) -> Iterator[str]:
    yield from unknown_fields(f"cluster {name}", cluster, CLUSTER)
    if cluster.get("type") != "EDS":
        yield f"cluster {name} takes endpoints from elsewhere than ADS"
    service = name.partition("|")[0]
    regions = facts.jurisdiction.regions
    names = [
        {"exact": spiffe.sidecar(facts.topology.regions[region], service)} for region in regions
    ]
    validation = {"ca_certificate_provider_instance": INSTANCE, "match_subject_alt_names": names}
    common = {
        "tls_certificate_provider_instance": INSTANCE,
        "validation_context": validation,
    }
    typed = {"@type": f"{TLS}UpstreamTlsContext", "common_tls_context": common}
    wanted = {"name": "envoy.transport_sockets.tls", "typed_config": typed}
    if cluster.get("transport_socket") != wanted:
        yield f"cluster {name} would speak to others than {service} of this jurisdiction"
