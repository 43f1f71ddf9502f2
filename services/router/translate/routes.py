"""An edge's routes: verified claims, never headers, decide where a call goes.

In order: methods that need no token; a tenant's calls to their home region; redirects of tenants
whose home is elsewhere; a last route that denies.
"""

from collections.abc import Iterator
from typing import Any

from services.chassis.contract import Method
from services.router import xds_types
from services.router.translate import cors, jwt, redirect, retries, targets
from services.router.translate.clusters import FAIL_CLOSED
from services.router.translate.facts import HEALTH, REFLECTION, Facts
from services.router.translate.replies import MESH_ERROR
from services.router.translate.targets import destination

NAME = "edge"
PROBE_LASTS = "10s"
OPEN_LASTS = "60s"
"""Of a call without a token, whatever deadline the client sets: without an end, calls whose body
never comes would fill the cluster that signed-in users share."""

RBAC = "envoy.filters.http.rbac"

Route = dict[str, Any]


def configuration(facts: Facts) -> dict[str, Any]:
    """`RouteConfiguration` of the region's edges."""
    host = {
        "name": "all",
        "domains": ["*"],
        "routes": list(_routes(facts)),
        "typed_per_filter_config": cors.policy(facts),
        "response_headers_to_remove": [MESH_ERROR],
        "include_request_attempt_count": True,
    }
    return {
        "name": NAME,
        "virtual_hosts": [host],
        # A route to a cluster that is not there is refused, not answered with 503s.
        "validate_clusters": True,
        "ignore_port_in_host_matching": True,
    }


def _routes(facts: Facts) -> Iterator[Route]:
    yield from _open(facts)
    for home in facts.served_homes:
        for service in facts.services:
            yield from _home(facts, service, home)
    for home in facts.redirected_homes:
        yield redirect.route(facts, home)
    yield _denied()


def _open(facts: Facts) -> Iterator[Route]:
    # Public methods are identity's: signing in, and the keys. The region's own answers.
    where = destination(targets.of(facts, "identity", facts.region))
    public = [method for method in facts.methods if method.path in facts.public_paths]
    for method in public:
        action = {
            **_retries(method),
            "max_stream_duration": {
                "max_stream_duration": OPEN_LASTS,
                "grpc_timeout_header_max": OPEN_LASTS,
            },
        }
        yield _route(f"public{method.path}", {"path": method.path}, where, action)
    where = destination(targets.of(facts, "identity", facts.region, targets.PROBES))
    for match in probes(facts):
        # Not with signing in: whoever holds these open takes no place away from it.
        action = {
            **retries.never_arrived(),
            "max_stream_duration": {"max_stream_duration": PROBE_LASTS},
        }
        yield _route(f"public{next(iter(match.values()))}", match, where, action)


def probes(facts: Facts) -> list[dict[str, Any]]:
    """What anybody may ask of an edge besides signing in. Not `Watch`, which has no end."""
    reflection = REFLECTION if facts.topology.reflection else ()
    return [{"path": f"{HEALTH}Check"}, *({"prefix": prefix} for prefix in reflection)]


def _home(facts: Facts, service: str, home: str) -> Iterator[Route]:
    claims = jwt.home_claims(facts, home)
    where = destination(targets.of(facts, service, home))
    for method in facts.methods:
        if method.service == service and method.retryable:
            match = {"path": method.path, "dynamic_metadata": claims}
            yield _route(f"{home}{method.path}", match, where, retries.of_method(method))
    match = {"prefix": f"/hemline.{service}.v1.", "dynamic_metadata": claims}
    yield _route(f"{home}/{service}", match, where, retries.never_arrived())


def _retries(method: Method) -> dict[str, Any]:
    return retries.of_method(method) if method.retryable else retries.never_arrived()


def _route(
    name: str, match: dict[str, Any], where: dict[str, Any], action: dict[str, Any]
) -> Route:
    return {
        "name": name,
        "match": match,
        "route": {
            **where,
            # Envoy's 15 s would cut streams. The client's deadline counts, and the service's.
            "timeout": "0s",
            "max_stream_duration": {"grpc_timeout_header_max": "0s"},
            **action,
        },
    }


def _denied() -> Route:
    # A real route, not a direct response: before the token is read every request stands here, and
    # the CORS filter passes by a route without a cluster.
    deny = {"rules": {"action": "ALLOW", "policies": {}}}
    kind = f"{xds_types.HTTP_FILTERS}rbac.v3.RBACPerRoute"
    return {
        "name": "denied",
        "match": {"prefix": "/"},
        "route": {"cluster": FAIL_CLOSED},
        "typed_per_filter_config": {RBAC: {"@type": kind, "rbac": deny}},
    }
