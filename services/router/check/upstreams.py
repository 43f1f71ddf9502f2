"""Clusters: to whom a proxy may speak, and the settings whose defaults lose calls or leak."""

from collections.abc import Iterator

from services.router import spiffe, xds_types
from services.router.check.doors import OVER_ADS, is_socket
from services.router.check.plain import Plain
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

KEEPALIVE = "connection_keepalive"


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    if node.kind is Kind.CLIENT:
        return
    for name, found in snapshot.of(xds_types.CLUSTER).items():
        home = name.partition("|")[2]
        if not home:
            yield from _without_home(facts, node, name, found.plain)
        elif home.partition("|")[0] in facts.topology.regions:
            yield from _identity(facts, name, found.plain)
            for setting in _settings(found.plain):
                yield f"cluster {name}: {setting}"


def _without_home(facts: Facts, node: Node, name: str, cluster: Plain) -> Iterator[str]:
    """The service behind a sidecar, the region's collector, and the cluster of nobody."""
    allowed = {"fail-closed": None, "otlp": facts.here.otlp}
    if node.kind is Kind.SIDECAR:
        allowed["app"] = facts.here.services[node.service][node.number - 1].app
    if name not in allowed:
        yield f"cluster {name} is for nobody that is known"
        return
    wanted = allowed[name]
    hosts = [
        host["endpoint"]["address"]
        for locality in cluster.get("load_assignment", {}).get("endpoints", ())
        for host in locality.get("lb_endpoints", ())
        if "address" in host.get("endpoint", {})
    ]
    if hosts != ([wanted.envoy()] if wanted else []):
        yield f"cluster {name} holds {hosts}, not its own address"


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
    if "transport_socket_matches" in cluster:
        yield f"cluster {name} speaks to some in another way"


def _settings(cluster: Plain) -> Iterator[str]:
    """Yields what is missing of the settings that keep calls from being lost."""
    common = cluster.get("common_lb_config", {})
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
        if one.get("no_traffic_interval") != one.get("interval"):
            yield "hosts that stand by are asked once a minute"
        if "|" in one.get("grpc_health_check", {}).get("authority", "|"):
            yield "health checks carry an authority that is none"
    for options in cluster.get("typed_extension_protocol_options", {}).values():
        if KEEPALIVE not in options.get("explicit_http_config", {}).get(
            "http2_protocol_options", {}
        ):
            yield "streams to a frozen host never end"
    if "typed_extension_protocol_options" not in cluster:
        yield "it does not speak HTTP/2"
