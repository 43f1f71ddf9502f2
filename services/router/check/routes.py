"""An edge's routes: followed for every kind of token at every path, to the regions they lead to."""

import json
from collections import defaultdict
from collections.abc import Iterator

from services.chassis.topology import ForeignEdges
from services.router import xds_types
from services.router.check import choices, repeats, replies
from services.router.check.flows import Flow, flows
from services.router.check.plain import Plain, unknown_fields
from services.router.check.rbac import Unknown
from services.router.check.residencies import Residencies
from services.router.check.tokens import HEALTH, REFLECTION
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

CORS = "envoy.filters.http.cors"
RBAC = "envoy.filters.http.rbac"
CHECK = f"{HEALTH}Check"
ELSEWHERE = "/elsewhere"

ROUTE = frozenset(
    {
        "name",
        "match",
        "route",
        "direct_response",
        "response_headers_to_add",
        "typed_per_filter_config",
    }
)
ACTION = frozenset(
    {
        "cluster",
        "weighted_clusters",
        "timeout",
        "max_stream_duration",
        "retry_policy",
        "hedge_policy",
    }
)
"""Fields of a route and its action whose effect is known here. Any other could send calls away."""

HOST = frozenset(
    {
        "name",
        "domains",
        "routes",
        "typed_per_filter_config",
        "response_headers_to_remove",
        "include_request_attempt_count",
    }
)
PAGES = frozenset(
    {
        "@type",
        "allow_credentials",
        "allow_headers",
        "allow_methods",
        "allow_origin_string_match",
        "expose_headers",
        "max_age",
    }
)
CONFIGURATION = frozenset(
    {"@type", "name", "virtual_hosts", "validate_clusters", "ignore_port_in_host_matching"}
)


def problems(facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    for name, configuration in snapshot.of(xds_types.ROUTES).items():
        body = configuration.plain
        yield from unknown_fields(f"routes {name}", body, CONFIGURATION)
        hosts = body.get("virtual_hosts", [])
        if [host.get("domains") for host in hosts] != [["*"]]:
            yield f"routes {name} depend on the name that a client asks for"
        for host in hosts:
            yield from unknown_fields(f"routes {name}", host, HOST)
            yield from _host(facts, snapshot, host.get("routes", []))
        for one in configuration.mappings:
            yield from _per_filter(facts, one)


def _host(facts: Facts, snapshot: Snapshot, routes: list[Plain]) -> Iterator[str]:
    for route in routes:
        where = f"route {route.get('name')}"
        yield from unknown_fields(where, route, ROUTE)
        if "direct_response" not in route and "response_headers_to_add" in route:
            yield f"{where} adds headers of its own"
        yield from unknown_fields(where, route.get("route", {}), ACTION)
        weighted = route.get("route", {}).get("weighted_clusters", {})
        yield from unknown_fields(where, weighted, frozenset({"clusters"}))
        for one in weighted.get("clusters", ()):
            yield from unknown_fields(where, one, frozenset({"name", "weight"}))
    if not routes or not _denies(routes[-1]):
        yield "the last route does not deny"
    residencies = Residencies(facts)
    known = [*(method.path for method in facts.methods), CHECK, ELSEWHERE]
    try:
        found = list(flows(residencies, routes, known))
    except Unknown as error:
        yield str(error)
        return
    yield from _Judge(facts, snapshot, residencies).problems(found)


class _Judge:
    """Says of each flow whether it leads where it may."""

    def __init__(self, facts: Facts, snapshot: Snapshot, residencies: Residencies) -> None:
        self._facts = facts
        self._snapshot = snapshot
        self._residencies = residencies
        self._methods = {method.path: method for method in facts.methods}
        self._services = {method.path: method.service for method in facts.methods}
        self._served: dict[str, int] = defaultdict(int)  # Path to tokens that reach a region.
        self._sent_away: dict[str, int] = defaultdict(int)
        self._judged: set[str] = set()

    def problems(self, found: list[Flow]) -> Iterator[str]:
        for flow in found:
            if "direct_response" in flow.route:
                yield from self._redirect(flow)
            elif not _denies(flow.route):
                yield from self._route(flow)
        yield from self._complete()

    def _route(self, flow: Flow) -> Iterator[str]:
        action, name = flow.route.get("route", {}), flow.route.get("name")
        service, home = _service_and_home(action)
        yield from repeats.problems(f"route {name}", action, self._methods.get(flow.path))
        if self._is_open(flow, service, home):
            yield from self._reaches(action, service.removesuffix("-open"), home)
            return
        proper = self._residencies.proper(home) if home in self._facts.topology.regions else 0
        if flow.tokens & ~proper:
            yield f"route {name} leads to {service}|{home} without its claims"
            return
        if not self._facts_serve(home):
            yield f"route {name} passes calls on that are to be sent away"
        if flow.path != f"/hemline.{service}.v1.x" and self._services.get(flow.path) != service:
            yield f"route {name} leads calls of {flow.path} to {service}"
        self._served[flow.path] |= flow.tokens
        yield from self._reaches(action, service, home)

    def _is_open(self, flow: Flow, service: str, home: str) -> bool:
        """Whether anybody may go that way: to sign in, or to ask little, briefly, and apart."""
        if home != self._facts.region:
            return False
        action, match = flow.route["route"], flow.route["match"]
        lasts = action.get("max_stream_duration", {})
        if service == "identity":
            briefly = {"max_stream_duration": "60s", "grpc_timeout_header_max": "60s"}
            return match.get("path") in self._facts.public_paths and lasts == briefly
        asks = match.get("path") == CHECK or match.get("prefix") in REFLECTION
        return service == "identity-open" and asks and lasts == {"max_stream_duration": "10s"}

    def _facts_serve(self, home: str) -> bool:
        own = self._facts.topology.jurisdiction_of(home)
        forward = own.foreign_edges is ForeignEdges.FORWARD
        return own == self._facts.jurisdiction or (
            forward and own.name in self._facts.certificates.bundles
        )

    def _reaches(self, action: Plain, service: str, home: str) -> Iterator[str]:
        """Follows the route to regions, in every combination of them being up or down."""
        key = f"{service} {home} {action.get('cluster')} {action.get('weighted_clusters')}"
        if key not in self._judged:
            self._judged.add(key)
            found = choices.targets(self._facts, self._snapshot, service, action)
            yield from choices.problems(self._facts, found, service, home)

    def _redirect(self, flow: Flow) -> Iterator[str]:
        name = flow.route.get("name")
        homes = list(self._residencies.homes(flow.tokens))
        proper = sum(self._residencies.proper(home) for home in homes)
        if flow.tokens & ~proper or len(homes) != 1 or self._facts_serve(homes[0]):
            yield f"route {name} sends away who is not of one home abroad"
            return
        self._sent_away[flow.path] |= flow.tokens
        key = f"{homes[0]} {json.dumps(flow.route)}"
        if key in self._judged:
            return
        self._judged.add(key)
        headers = flow.route.get("response_headers_to_add", [])
        if flow.route["direct_response"] != {"status": 200} or not replies.sends_home(
            self._facts, homes[0], headers
        ):
            yield f"route {name} answers with something else than where {homes[0]} is"

    def _complete(self) -> Iterator[str]:
        """Whoever has a proper token is served, or sent home."""
        asked = [path for path in self._services if path not in self._facts.public_paths]
        for home in sorted(self._facts.topology.regions):
            proper = self._residencies.proper(home)
            found, what = self._sent_away, "sent home"
            if self._facts_serve(home):
                found, what = self._served, "served"
            for path in asked:
                if proper & ~found[path]:
                    yield f"tenants of {home} are not {what} at {path}"
                    break


def _service_and_home(action: Plain) -> tuple[str, str]:
    """By the clusters' names; empty if they differ. What is behind a name is looked at later."""
    weighted = action.get("weighted_clusters", {}).get("clusters", [])
    names = [one.get("name", "") for one in weighted] or [action.get("cluster", "")]
    parts = {tuple((*name.split("|"), "")[:2]) for name in names}
    if len(parts) != 1:
        return "", ""
    [(service, home)] = parts
    return service, home


def _per_filter(facts: Facts, body: Plain) -> Iterator[str]:
    """No route switches a filter off, or turns it into another."""
    for name, config in sorted(body.get("typed_per_filter_config", {}).items()):
        known = name == RBAC and _denies(body)
        if not known and not (name == CORS and _is_of_our_pages(facts, config)):
            yield f"route {body.get('name')} sets {name}"


def _is_of_our_pages(facts: Facts, config: Plain) -> bool:
    """Whether it lets the topology's pages call, and no others, without the browser's secrets."""
    origins = config.get("allow_origin_string_match", [])
    return (
        not config.keys() - PAGES
        and config.get("@type") == f"{xds_types.HTTP_FILTERS}cors.v3.CorsPolicy"
        and origins == [{"exact": origin} for origin in facts.topology.cors_origins]
        and not config.get("allow_credentials")
    )


def _denies(route: Plain) -> bool:
    rbac = route.get("typed_per_filter_config", {}).get(RBAC, {}).get("rbac", {})
    rules = rbac.get("rules")
    # The action ALLOW is the default: with no policy, nobody is allowed.
    allows_nobody = rules is not None and not rules.get("policies") and "action" not in rules
    return route.get("match") == {"prefix": "/"} and allows_nobody
