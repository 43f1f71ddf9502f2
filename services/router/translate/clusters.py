"""Clusters: where calls may go, how a dead host is noticed, what a retry may cost."""

from typing import Any

from services.router import xds_types
from services.router.addresses import Address
from services.router.snapshot import Resource, resource
from services.router.translate.facts import Facts, cluster_name
from services.router.translate.listener import OVER_ADS

FAIL_CLOSED = "fail-closed"

PROBES = "identity-open"
"""Stands for identity in the name of the cluster for health and reflection, open to anybody."""

REQUESTS_LIMIT = 8192
PROBES_LIMIT = 64
HEALTH_INTERVAL = "0.5s"
_PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def of_service(service: str, home: str) -> Resource:
    """The cluster for tenants of ``home``. Its endpoints say which regions may stand in."""
    return resource(xds_types.CLUSTER, _discovered(service, home, REQUESTS_LIMIT))


def of_probes(home: str) -> Resource:
    """Identity once more, with few places: whoever takes them all keeps nobody from signing in."""
    return resource(xds_types.CLUSTER, _discovered(PROBES, home, PROBES_LIMIT))


def _discovered(service: str, home: str, requests: int) -> dict[str, Any]:
    return {
        "name": cluster_name(service, home),
        "type": "EDS",
        "eds_cluster_config": {"eds_config": OVER_ADS},
        "connect_timeout": "0.25s",
        "lb_policy": "LEAST_REQUEST",
        "health_checks": [_health_check(service, home)],
        "circuit_breakers": _breakers(requests),
        "outlier_detection": _outliers(),
        # Half of the hosts down is no reason to send to dead ones (panic), and two that die
        # together must both be noticed now, not a second later (merge window).
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"},
        # A host that is taken away is gone, even while it still looks healthy.
        "ignore_health_on_host_removal": True,
        "close_connections_on_host_health_failure": True,
        "typed_extension_protocol_options": http2(keepalive=True),
    }


def endpoints(facts: Facts, service: str, home: str, name: str = "") -> Resource:
    """The home region at priority 0, then its siblings in the topology's order, and nobody else.

    Args:
        facts: say where everybody is.
        service: whose sidecars.
        home: region of the tenants.
        name: first part of the cluster's name, if it is not the service's.
    """
    regions = (home, *facts.topology.regions[home].failover)
    localities = [
        {
            "locality": {"region": region},
            "priority": priority,
            "load_balancing_weight": 1,
            "lb_endpoints": [
                host.sidecar.endpoint() for host in facts.endpoints[region].services[service]
            ],
        }
        for priority, region in enumerate(regions)
    ]
    body = {"cluster_name": cluster_name(name or service, home), "endpoints": localities}
    return resource(xds_types.ENDPOINTS, body)


def single(name: str, address: Address) -> Resource:
    """A cluster of one address that never changes, over HTTP/2."""
    body = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.25s",
        "circuit_breakers": _breakers(REQUESTS_LIMIT),
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


def _health_check(service: str, home: str) -> dict[str, Any]:
    return {
        "interval": HEALTH_INTERVAL,
        # 60 s by default, for clusters that have had no traffic yet: those that stand by.
        "no_traffic_interval": HEALTH_INTERVAL,
        "interval_jitter_percent": 10,
        "timeout": "0.5s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        # By default the authority is the cluster's name, of which `|` is not allowed there.
        "grpc_health_check": {"authority": f"{service}.{home}.hemline.internal"},
    }


def _breakers(requests: int) -> dict[str, Any]:
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
