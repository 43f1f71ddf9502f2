"""Clusters: to whom a proxy may speak, and the settings whose defaults lose calls or leak."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from services.router import spiffe, xds_types
from services.router.check.doors import OVER_ADS, is_socket
from services.router.check.plain import Plain, unknown_fields
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

KEEPALIVE = frozenset({"connection_keepalive"})
PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

OF_NOBODY = frozenset({"@type", "name", "type", "connect_timeout"})
OF_ONE = OF_NOBODY | {"circuit_breakers", "load_assignment", "typed_extension_protocol_options"}
OF_HOMES = OF_NOBODY | {
    "circuit_breakers",
    "close_connections_on_host_health_failure",
    "common_lb_config",
    "eds_cluster_config",
    "health_checks",
    "ignore_health_on_host_removal",
    "lb_policy",
    "outlier_detection",
    "transport_socket",
    "typed_extension_protocol_options",
}
"""Known fields of a cluster without hosts, of one address, and of those that lead to homes."""

COMMON = frozenset(
    {"healthy_panic_threshold", "locality_weighted_lb_config", "update_merge_window"}
)
HEALTH = frozenset(
    {
        "grpc_health_check",
        "healthy_threshold",
        "interval",
        "interval_jitter_percent",
        "no_traffic_interval",
        "timeout",
        "unhealthy_edge_interval",
        "unhealthy_threshold",
    }
)


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    if node.kind is Kind.CLIENT:
        return
    for name, found in snapshot.of(xds_types.CLUSTER).items():
        where, cluster = f"cluster {name}", found.plain
        home = name.partition("|")[2].partition("|")[0]
        if node.kind is not Kind.EDGE or home not in facts.topology.regions:
            yield from _without_home(facts, node, name, cluster)
            continue
        yield from unknown_fields(where, cluster, OF_HOMES)
        if cluster.get("type") != "EDS":
            yield f"{where} takes endpoints from elsewhere than ADS"
        yield from _identity(facts, name, cluster)
        for setting in (*_settings(cluster), *_protocol(cluster, KEEPALIVE)):
            yield f"{where}: {setting}"


def _without_home(facts: Facts, node: Node, name: str, cluster: Plain) -> Iterator[str]:
    """The service behind a sidecar, the region's collector, and the cluster of nobody."""
    allowed = {"fail-closed": None, "otlp": facts.here.otlp}
    if node.kind is Kind.SIDECAR:
        allowed["app"] = facts.here.services[node.service][node.number - 1].app
    if name not in allowed:
        yield f"cluster {name} is for nobody that is known"
        return
    where, wanted = f"cluster {name}", allowed[name]
    yield from unknown_fields(where, cluster, OF_ONE if wanted else OF_NOBODY)
    if cluster.get("type") != "STATIC":
        yield f"{where} finds its host by {cluster.get('type')}"
    if wanted is None:
        return
    hosts = [{"lb_endpoints": [{"endpoint": {"address": wanted.envoy()}}]}]
    if cluster.get("load_assignment") != {"cluster_name": name, "endpoints": hosts}:
        yield f"{where} holds something else than its own address"
    for problem in _protocol(cluster, frozenset()):
        yield f"{where}: {problem}"


def _identity(facts: Facts, name: str, cluster: Plain) -> Iterator[str]:
    """A home's cluster speaks to sidecars of its service, in its jurisdiction, proven so."""
    service, home, *_ = name.split("|")
    service = service.removesuffix("-open")
    jurisdiction = facts.topology.jurisdiction_of(home)
    sans = [
        {
            "san_type": "URI",
            "matcher": {"exact": spiffe.sidecar(facts.topology.regions[one], service)},
        }
        for one in jurisdiction.regions
    ]
    trusted = {"name": f"trust/{jurisdiction.name}", "sds_config": OVER_ADS}
    validation = {
        "default_validation_context": {"match_typed_subject_alt_names": sans},
        "validation_context_sds_secret_config": trusted,
    }
    socket = cluster.get("transport_socket", {})
    if not is_socket(socket, "UpstreamTlsContext", combined_validation_context=validation):
        yield f"cluster {name} would speak to others than {service} of {jurisdiction.name}"


def _settings(cluster: Plain) -> Iterator[str]:
    """Yields what is missing of the settings that keep calls from being lost."""
    common = cluster.get("common_lb_config", {})
    yield from unknown_fields("it", common, COMMON)
    if common.get("healthy_panic_threshold") != {}:  # Zero, which JSON leaves out.
        yield "in a panic it sends to dead hosts"
    if common.get("update_merge_window") != "0s":
        yield "the second of two dead hosts is noticed late"
    if common.get("locality_weighted_lb_config") != {}:
        yield "weights of tracks are passed over"
    if not cluster.get("ignore_health_on_host_removal"):
        yield "a host that was taken away keeps its calls"
    if not cluster.get("close_connections_on_host_health_failure"):
        yield "connections to a dead host stay"
    thresholds = cluster.get("circuit_breakers", {}).get("thresholds", [])
    if not thresholds or not all("retry_budget" in one for one in thresholds):
        yield "three retries at once are the end"
    outliers = cluster.get("outlier_detection", {})
    wrong = [
        key
        for key in ("consecutive_5xx", "consecutive_gateway_failure", "success_rate")
        if outliers.get(f"enforcing_{key}") != 0
    ]
    if wrong or not outliers.get("split_external_local_origin_errors"):
        yield "a request that fails everywhere ejects everybody"
    yield from _noticing(cluster)


def _noticing(cluster: Plain) -> Iterator[str]:
    checks = cluster.get("health_checks", [])
    if not checks:
        yield "nobody asks whether its hosts are well"
    for one in checks:
        yield from unknown_fields("a health check", one, HEALTH)
        how = one.get("grpc_health_check", {})
        yield from unknown_fields("a health check", how, frozenset({"authority"}))
        if one.get("no_traffic_interval") != one.get("interval"):
            yield "hosts that stand by are asked once a minute"
        if "|" in how.get("authority", "|"):
            yield "health checks carry an authority that is none"


def _protocol(cluster: Plain, settings: AbstractSet[str]) -> Iterator[str]:
    """HTTP/2 with these settings, and nothing more: these options have filters of their own."""
    options = cluster.get("typed_extension_protocol_options", {})
    found = options.get(PROTOCOL, {})
    http2 = found.get("explicit_http_config", {}).get("http2_protocol_options")
    if http2 is None or options.keys() != {PROTOCOL}:
        yield "it does not speak HTTP/2"
        return
    yield from unknown_fields("it", found, frozenset({"@type", "explicit_http_config"}))
    yield from unknown_fields("it", http2, settings)
    if settings - http2.keys():
        yield "streams to a frozen host never end"
