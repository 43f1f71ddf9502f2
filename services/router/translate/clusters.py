"""Clusters: where calls may go, how a dead host is noticed, what a retry may cost."""

from collections.abc import Iterator
from typing import Any

from services.router import xds_types
from services.router.addresses import Address
from services.router.snapshot import Resource, resource
from services.router.translate import targets, tls
from services.router.translate.facts import Facts
from services.router.translate.listener import OVER_ADS
from services.router.translate.targets import Target

FAIL_CLOSED = "fail-closed"

REQUESTS_LIMIT = 8192
PROBES_LIMIT = 64

HEALTH_INTERVAL = "0.3s"
HEALTH_EDGE_INTERVAL = "0.05s"
HEALTH_TIMEOUT_SECONDS = 0.25
"""At the worst 0.3 + 0.25 + 0.05 + 0.25 s from a freeze until no call is sent there any more.

Each edge asks each host about three times a second for each home that it may serve.
"""

OVERPROVISIONING = 200
_PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def of_targets(facts: Facts, service: str, home: str) -> Iterator[Resource]:
    """Clusters and endpoints for tenants of ``home``, one of each for each target."""
    for target in targets.of(facts, service, home):
        yield resource(xds_types.CLUSTER, _discovered(facts, target, REQUESTS_LIMIT))
        yield endpoints(facts, target)


def of_probes(facts: Facts) -> Iterator[Resource]:
    """Identity once more, with few places: whoever takes them all keeps nobody from signing in."""
    for target in targets.of(facts, "identity", facts.region, targets.PROBES):
        yield resource(xds_types.CLUSTER, _discovered(facts, target, PROBES_LIMIT))
        yield endpoints(facts, target)


def _discovered(facts: Facts, target: Target, requests: int) -> dict[str, Any]:
    patience = _patience(facts, target)
    return {
        "name": target.name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": OVER_ADS},
        "connect_timeout": patience,
        "lb_policy": "LEAST_REQUEST",
        "health_checks": [_health_check(target, patience)],
        "circuit_breakers": breakers(requests),
        "outlier_detection": _outliers(),
        "common_lb_config": {
            # Half of the hosts down is no reason to send to dead ones.
            "healthy_panic_threshold": {"value": 0},
            # Two that die together must both be noticed now, not a second later.
            "update_merge_window": "0s",
            "locality_weighted_lb_config": {},
        },
        # A host that is taken away is gone, even while it still looks healthy.
        "ignore_health_on_host_removal": True,
        "close_connections_on_host_health_failure": True,
        "transport_socket": tls.upstream(facts, target.service, target.home),
        "typed_extension_protocol_options": http2(keepalive=True),
    }


def endpoints(facts: Facts, target: Target) -> Resource:
    """The target's regions in order, a priority each, and in each its tracks by weight.

    A region without a host that the policy wants is no priority: Envoy takes no empty one.
    """
    hosts = [targets.tracks(facts, target, region) for region in target.regions]
    localities = [
        {
            "locality": {"region": region, "sub_zone": track},
            "priority": priority,
            "load_balancing_weight": weight,
            "lb_endpoints": [host.sidecar.endpoint() for host in found],
        }
        for priority, by_track in enumerate(each for each in hosts if each)
        for region, track, weight, found in by_track
    ]
    # While half of a region's hosts are there, no call leaves it.
    policy = {"overprovisioning_factor": OVERPROVISIONING}
    body = {"cluster_name": target.name, "endpoints": localities, "policy": policy}
    return resource(xds_types.ENDPOINTS, body)


def single(name: str, address: Address) -> Resource:
    """A cluster of one address that never changes, over HTTP/2."""
    body = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.25s",
        "circuit_breakers": breakers(REQUESTS_LIMIT),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [address.endpoint()]}],
        },
        "typed_extension_protocol_options": http2(keepalive=False),
    }
    return resource(xds_types.CLUSTER, body)


def fail_closed() -> Resource:
    """A cluster without hosts, for the route that denies."""
    return resource(
        xds_types.CLUSTER, {"name": FAIL_CLOSED, "type": "STATIC", "connect_timeout": "0.1s"}
    )


def http2(*, keepalive: bool) -> dict[str, Any]:
    """`typed_extension_protocol_options`. Only pings end streams to a frozen host."""
    pings = {"connection_keepalive": {"interval": "2s", "timeout": "1s"}} if keepalive else {}
    explicit = {"explicit_http_config": {"http2_protocol_options": pings}}
    return {_PROTOCOL: {"@type": f"{xds_types.PREFIX}{_PROTOCOL}", **explicit}}


def _health_check(target: Target, patience: str) -> dict[str, Any]:
    return {
        "interval": HEALTH_INTERVAL,
        # 60 s by default, for clusters that have had no traffic yet: those that stand by.
        "no_traffic_interval": HEALTH_INTERVAL,
        # Once one check has failed, the second comes at once: a frozen host is known in a second.
        "unhealthy_edge_interval": HEALTH_EDGE_INTERVAL,
        "interval_jitter_percent": 10,
        "timeout": patience,
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        # By default the authority is the cluster's name, of which `|` is not allowed there.
        "grpc_health_check": {"authority": f"{target.service}.{target.home}.hemline.internal"},
    }


def _patience(facts: Facts, target: Target) -> str:
    """How long a connection, or a health check on a new one, may take: three round trips and more.

    With less, a healthy region far away would never be taken for one.
    """
    ways = (facts.topology.latency_ms(facts.region, region) for region in target.regions)
    longest = max((way for way in ways if way is not None), default=0.0)
    return f"{max(HEALTH_TIMEOUT_SECONDS, 0.1 + 4 * longest / 1000):.3f}s"


def breakers(requests: int) -> dict[str, Any]:
    # A budget, because the default of three retries at once is used up by the first dead host.
    budget = {"budget_percent": {"value": 100}, "min_retry_concurrency": min(200, requests)}
    waiting = requests // 2
    limits = {
        "max_connections": waiting,
        "max_pending_requests": waiting,
        "max_requests": requests,
    }
    return {"thresholds": [{**limits, "retry_budget": budget}]}


def _outliers() -> dict[str, Any]:
    """Ejects for failures of the way alone, never for what a service answers.

    A request that fails everywhere would otherwise eject one region after the other.
    """
    return {
        "interval": "0.5s",
        "base_ejection_time": "5s",
        "max_ejection_time": "30s",
        "max_ejection_percent": 100,
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_local_origin_success_rate": 0,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
    }
