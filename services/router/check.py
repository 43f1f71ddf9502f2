"""The last look before a snapshot is published: what would be unsafe is refused, whoever made it.

Reads what is to be sent, not what it was made from, and knows none of the translator's ways: two
that agree by accident are less likely than one that is wrong.
"""

import json
from collections.abc import Iterator
from typing import Any

from services.chassis.topology import Jurisdiction
from services.router import xds_types
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

JWT = "envoy.filters.http.jwt_authn"
RBAC = "envoy.filters.http.rbac"

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

Plain = dict[str, Any]


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    """Yields, in a sentence each, which rules ``snapshot`` breaks. None if it may be published."""
    yield from _references(snapshot)
    yield from _residency(facts, snapshot)
    yield from _priorities(snapshot)
    yield from _keys(facts, node, snapshot)
    yield from _token_needed(snapshot)
    if node.kind is Kind.EDGE:
        yield from _routes(facts, snapshot)


def _references(snapshot: Snapshot) -> Iterator[str]:
    """Whatever is named is there."""
    clusters = snapshot.of(xds_types.CLUSTER)
    by_discovery = {name for name, found in clusters.items() if found.plain.get("type") == "EDS"}
    for name in sorted(by_discovery ^ snapshot.of(xds_types.ENDPOINTS).keys()):
        yield f"cluster {name} and its endpoints are not both there"
    for name in sorted(set(_values(snapshot, "cluster", "cluster_name")) - clusters.keys()):
        yield f"cluster {name} is named but not there"
    routes = snapshot.of(xds_types.ROUTES).keys()
    for name in sorted(set(_values(snapshot, "route_config_name")) - routes):
        yield f"routes {name} are named but not there"
    listeners = (found.plain for found in snapshot.of(xds_types.LISTENER).values())
    discovered = {one["name"] for one in _dicts(list(listeners)) if "config_discovery" in one}
    for name in sorted(discovered - snapshot.of(xds_types.EXTENSION).keys()):
        yield f"filter {name} is named but not there"


def _residency(facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    """A home region's cluster holds addresses of its jurisdiction; any other, of this region."""
    owners = _owners(facts)
    for kind in (xds_types.CLUSTER, xds_types.ENDPOINTS):
        for name, found in snapshot.of(kind).items():
            home = name.partition("|")[2]
            if home and home not in facts.topology.regions:
                yield f"cluster {name} is for tenants of an unknown region"
                continue
            allowed = facts.topology.jurisdiction_of(home).regions if home else (facts.region,)
            for address in _addresses(found.plain):
                for region in sorted(owners.get(address, {"nowhere"}) - set(allowed)):
                    yield f"cluster {name} holds {address}, which is in {region}"


def _priorities(snapshot: Snapshot) -> Iterator[str]:
    """From 0 without a gap, and none is empty: Envoy would spread the traffic without a word."""
    for name, found in snapshot.of(xds_types.ENDPOINTS).items():
        localities = found.plain.get("endpoints", [])
        given = sorted(locality.get("priority", 0) for locality in localities)
        if given != list(range(len(given))) or not given:
            yield f"endpoints {name} have priorities {given}"
        if not all(locality.get("lb_endpoints") for locality in localities):
            yield f"endpoints {name} have a priority without an address"


def _keys(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    """Each jurisdiction's provider holds its own keys; a sidecar, its own jurisdiction's alone."""
    for config in _jwt_configs(snapshot):
        providers = config.get("providers", {})
        if facts.jurisdiction.name not in providers:
            yield f"the keys of {facts.jurisdiction.name} are missing"
        for name, provider in sorted(providers.items()):
            if node.kind is Kind.SIDECAR and name != facts.jurisdiction.name:
                yield f"a sidecar of {facts.jurisdiction.name} would trust keys of {name}"
            jurisdiction = facts.topology.jurisdictions.get(name)
            if jurisdiction is None or not _faithful(facts, jurisdiction, provider):
                yield f"provider {name} holds keys or claims of another jurisdiction"


def _faithful(facts: Facts, jurisdiction: Jurisdiction, provider: Plain) -> bool:
    jwks = json.loads(provider["local_jwks"]["inline_string"])["keys"]
    own = [key.as_dict() for key in facts.keys.get(jurisdiction.name, ())]
    return (
        provider.get("issuer") == jurisdiction.issuer
        and provider.get("audiences") == [jurisdiction.audience]
        and provider.get("payload_in_metadata") == jurisdiction.name
        and bool(jwks)
        and all(key in own for key in jwks)
    )


def _token_needed(snapshot: Snapshot) -> Iterator[str]:
    """The last rule of token verification takes everything that is left."""
    configs = list(_jwt_configs(snapshot))
    if not configs:
        yield "tokens are not verified"
    for config in configs:
        last = config.get("rules", [{}])[-1]
        if last.get("match") != {"prefix": "/"} or "requires" not in last:
            yield "the last rule of token verification lets requests pass"


def _routes(facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    """A home's cluster is reached with claims of that home; the last route denies."""
    open_paths = set(facts.public_paths)
    for configuration in snapshot.of(xds_types.ROUTES).values():
        for host in configuration.plain["virtual_hosts"]:
            *routes, last = host["routes"]
            for route in routes:
                action = route.get("route", {})
                for way in sorted(action.keys() & OTHER_WAYS):
                    yield f"route {route.get('name')} chooses where to go by {way}"
                cluster = action.get("cluster", "")
                home = cluster.partition("|")[2]
                is_open = cluster == f"identity|{facts.region}" and _is_open(route, open_paths)
                if home and not is_open and not _claims(facts, route["match"], home):
                    yield f"route {route.get('name')} leads to {cluster} without its claims"
            if not _denies(last):
                yield "the last route does not deny"


def _is_open(route: Plain, open_paths: set[str]) -> bool:
    match = route["match"]
    return match.get("path") in open_paths or match.get("prefix", "").startswith("/grpc.")


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
    return route["match"] == {"prefix": "/"} and allows_nobody


def _owners(facts: Facts) -> dict[str, set[str]]:
    """Whose each address is, by the endpoints file."""
    owners: dict[str, set[str]] = {}
    for region, found in facts.endpoints.items():
        parts = [address for one in found.services.values() for address in (*one.sidecars, one.app)]
        for address in (*parts, *([found.otlp] if found.otlp else [])):
            owners.setdefault(str(address), set()).add(region)
    return owners


def _addresses(body: Plain) -> Iterator[str]:
    for one in _dicts(body):
        if "port_value" in one:
            ip = one["address"]
            yield f"[{ip}]:{one['port_value']}" if ":" in ip else f"{ip}:{one['port_value']}"


def _jwt_configs(snapshot: Snapshot) -> Iterator[Plain]:
    for found in snapshot.of(xds_types.EXTENSION).values():
        config = found.plain["typed_config"]
        if config["@type"].endswith("JwtAuthentication"):
            yield config


def _values(snapshot: Snapshot, *keys: str) -> Iterator[str]:
    for kind in (xds_types.LISTENER, xds_types.ROUTES):
        for found in snapshot.of(kind).values():
            for one in _dicts(found.plain):
                yield from (one[key] for key in keys if isinstance(one.get(key), str))


def _dicts(value: Any) -> Iterator[Plain]:
    """Every mapping within ``value``, itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _dicts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _dicts(inner)
