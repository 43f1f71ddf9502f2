"""An edge's routes: verified claims lead to a home region, and what is left is denied."""

from collections.abc import Iterator

from services.router import xds_types
from services.router.check.plain import Plain, dicts
from services.router.check.tokens import HEALTH, REFLECTION
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

CORS = "envoy.filters.http.cors"
JWT = "envoy.filters.http.jwt_authn"
RBAC = "envoy.filters.http.rbac"
CHECK = f"{HEALTH}Check"

OTHER_WAYS = frozenset(
    {
        "cluster_header",
        "cluster_specifier_plugin",
        "inline_cluster_specifier_plugin",
        "request_mirror_policies",
        "weighted_clusters",
    }
)
"""Fields of a route that send a request, or a copy, where no rule below looks."""


def problems(facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    """A home's cluster is reached with claims of that home; the last route denies."""
    for configuration in snapshot.of(xds_types.ROUTES).values():
        for one in dicts(configuration.plain):
            yield from _per_filter(one)
        for host in configuration.plain.get("virtual_hosts", ()):
            *routes, last = host.get("routes") or [{}]
            for route in routes:
                action = route.get("route", {})
                for way in sorted(action.keys() & OTHER_WAYS):
                    yield f"route {route.get('name')} chooses where to go by {way}"
                cluster = action.get("cluster", "")
                home = cluster.partition("|")[2].partition("|")[0]
                if home and not _is_open(facts, route) and not _claims(facts, route["match"], home):
                    yield f"route {route.get('name')} leads to {cluster} without its claims"
            if not _denies(last):
                yield "the last route does not deny"


def _per_filter(body: Plain) -> Iterator[str]:
    """No route switches a filter off, or turns it into another."""
    for name in sorted(body.get("typed_per_filter_config", {})):
        if name != CORS and not (name == RBAC and _denies(body)):
            yield f"route {body.get('name')} sets {name}"


def _is_open(facts: Facts, route: Plain) -> bool:
    """Whether anybody may go that way: to sign in, or to ask little, briefly, and apart from it."""
    match, action = route["match"], route["route"]
    if action.get("cluster") == f"identity|{facts.region}":
        return match.get("path") in facts.public_paths
    lasts = action.get("max_stream_duration", {}).get("max_stream_duration")
    return (
        action.get("cluster") == f"identity-open|{facts.region}"
        and (match.get("path") == CHECK or match.get("prefix") in REFLECTION)
        and lasts == "10s"
    )


def _claims(facts: Facts, match: Plain, home: str) -> bool:
    if home not in facts.topology.regions:
        return False
    name = facts.topology.jurisdiction_of(home).name
    found = {
        (matcher["filter"], *(part["key"] for part in matcher["path"])): matcher["value"]
        for matcher in match.get("dynamic_metadata", [])
        if not matcher.get("invert")
    }
    return found.get((JWT, name, "jurisdiction")) == {"string_match": {"exact": name}} and (
        found.get((JWT, name, "home_region")) == {"string_match": {"exact": home}}
    )


def _denies(route: Plain) -> bool:
    rbac = route.get("typed_per_filter_config", {}).get(RBAC, {}).get("rbac", {})
    rules = rbac.get("rules")
    # The action ALLOW is the default: with no policy, nobody is allowed.
    allows_nobody = rules is not None and not rules.get("policies") and "action" not in rules
    return route.get("match") == {"prefix": "/"} and allows_nobody
