"""Listeners: every request passes token verification, then RBAC, and wears no header of ours."""

from collections.abc import Iterator

from services.router import xds_types
from services.router.check import rbac
from services.router.check.plain import Plain, dicts
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

VERIFIES = "hemline-jwt"

BEFORE = frozenset({"health_check.v3.HealthCheck", "grpc_web.v3.GrpcWeb", "cors.v3.Cors"})
"""What may stand before token verification at an edge: none of it passes a request on."""

LIMITS = "local_ratelimit.v3.LocalRateLimit"

LAST = {
    Kind.EDGE: (VERIFIES, LIMITS, "rbac.v3.RBAC", "router.v3.Router"),
    Kind.SIDECAR: (VERIFIES, "rbac.v3.RBAC", "router.v3.Router"),
}

DISCOVERY = {
    "config_source": {"ads": {}, "resource_api_version": "V3"},
    "type_urls": [f"{xds_types.HTTP_FILTERS}jwt_authn.v3.JwtAuthentication"],
}

STRIPPED = ("x-hemline-", "x-envoy-")


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    listeners = snapshot.of(xds_types.LISTENER)
    if not listeners:
        yield "there is no listener"
    for name, found in listeners.items():
        managers = list(_managers(found.plain))
        if not managers or "api_listener" in found.plain:
            yield f"listener {name} does not listen for HTTP"
        for manager in managers:
            if not manager.get("@type", "").endswith(".HttpConnectionManager"):
                yield f"listener {name} passes on what is not HTTP"
                continue
            yield from _filters(facts, node, name, manager)
            yield from _hardening(name, manager)
            yield from _routes(node, name, manager)


def _managers(listener: Plain) -> Iterator[Plain]:
    default = listener.get("default_filter_chain")
    for chain in (*listener.get("filter_chains", ()), *([default] if default else ())):
        for network_filter in chain.get("filters", ()):
            yield network_filter.get("typed_config", {})


def _filters(facts: Facts, node: Node, name: str, manager: Plain) -> Iterator[str]:
    filters = manager.get("http_filters", [])
    wanted = LAST[node.kind]
    before, last = filters[: -len(wanted)], filters[-len(wanted) :]
    if tuple(_kind(one) for one in last) != wanted:
        yield f"listener {name}: token verification, RBAC and the router are not its last filters"
        return
    allowed = BEFORE if node.kind is Kind.EDGE else frozenset()
    for one in before:
        if _kind(one) not in allowed:
            yield f"listener {name} has the filter {one.get('name')} before token verification"
    config = last[-2]["typed_config"]
    if config.keys() - {"@type", "rules"} or (node.kind is Kind.EDGE and "rules" in config):
        yield f"listener {name}: RBAC is told more than it should"
    if node.kind is Kind.SIDECAR:
        for problem in rbac.problems(facts, node, config.get("rules")):
            yield f"listener {name}: {problem}"


def _kind(http_filter: Plain) -> str:
    """Package and message of an HTTP filter that is surely run; empty for any other."""
    # Verification comes over ADS, and until it is there the listener waits: no default.
    if http_filter == {"name": VERIFIES, "config_discovery": DISCOVERY}:
        return VERIFIES
    if http_filter.keys() != {"name", "typed_config"}:
        return ""
    kind: str = http_filter["typed_config"].get("@type", "")
    return kind.removeprefix(xds_types.HTTP_FILTERS)


def _hardening(name: str, manager: Plain) -> Iterator[str]:
    extensions = manager.get("early_header_mutation_extensions", [])
    configs = [one.get("typed_config", {}) for one in extensions]
    removed = [mutation for config in configs for mutation in config.get("mutations", ())]
    wanted = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in STRIPPED]
    if removed != wanted or not configs[0].get("@type", "").endswith(".HeaderMutation"):
        yield f"listener {name}: headers of ours that a client sends are not dropped"
    escaped = manager.get("path_with_escaped_slashes_action")
    normal = manager.get("normalize_path") and manager.get("merge_slashes")
    if not normal or escaped != "REJECT_REQUEST":
        yield f"listener {name}: a path may be spelled in several ways"


def _routes(node: Node, name: str, manager: Plain) -> Iterator[str]:
    """An edge's routes are those of discovery, which are checked; a sidecar's lead to its app."""
    if node.kind is Kind.EDGE:
        if manager.keys() & {"route_config", "scoped_routes"} or "rds" not in manager:
            yield f"listener {name} has routes that come by no discovery"
        return
    if manager.keys() & {"rds", "scoped_routes"}:
        yield f"listener {name} has routes that are not its own"
    for one in dicts(manager.get("route_config", {})):
        if "typed_per_filter_config" in one:
            yield f"listener {name} has a route with filters of its own"
        if "route" in one and one["route"].get("cluster") != "app":
            yield f"listener {name} leads to {one['route'].get('cluster')}, not to its service"
        if "request_mirror_policies" in one:
            yield f"listener {name} sends copies elsewhere"
