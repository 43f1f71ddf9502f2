"""Twenty leaks, each planted in the compiler for a moment: the checker alone must find them.

Half of them change a function of `services.router.translate`, as a wrong edit would; the other half
change what it has made, as a wrong extension would. Nothing of the checker is touched.
"""

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

from proofs.states_world import World, twelve_regions
from services.router import check, nodes, xds_types
from services.router.nodes import Kind, Node
from services.router.snapshot import Resource, Snapshot, resource
from services.router.translate import Facts, jwt, rbac, routes, targets, tls, translate

HOME, ABROAD = "eu-north-1", "us-north-1"
DRAINED = "eu-north-4"
CLUSTER = f"inventory|{HOME}"
ABROAD_INVENTORY = {"address": "10.0.4.30", "port_value": 8443}
ABROAD_COLLECTOR = {"address": "10.0.4.2", "port_value": 4317}
ANYWHERE = {"google_grpc": {"target_uri": "dns:///spans.example:443", "stat_prefix": "spans"}}
FILE = {"path_config_source": {"path": "/var/run/routes.yaml"}}
CENTURY_SECONDS = 3_000_000_000

Plain = dict[str, Any]
Snapshots = Mapping[Node, Snapshot]
Leak = Callable[[Facts], Snapshots]


def small_world() -> Facts:
    """Facts of one region's router, with a drained sibling and a floor for home epochs."""
    return World(twelve_regions()).facts(HOME, [DRAINED])


def caught() -> dict[str, str]:
    """By leak: the first problem that the checker names, or nothing."""
    facts = small_world()
    assert not check.prove(facts, translate(facts)).problems
    found = {}
    for name, leak in LEAKS.items():
        problems = check.prove(facts, leak(facts)).problems
        found[name] = problems[0] if problems else ""
    return found


def edited(owner: Any, name: str, replacement: Callable[..., Any]) -> Leak:
    """Compiles with a function of the compiler replaced. It is given the right one first."""

    def leak(facts: Facts) -> Snapshots:
        right = getattr(owner, name)
        with patch.object(owner, name, lambda *given, **named: replacement(right, *given, **named)):
            return translate(facts)

    return leak


def changed(kind: Kind, type_url: str, name: str, change: Callable[[Plain], Any]) -> Leak:
    """Compiles, then changes one resource of one node."""

    def leak(facts: Facts) -> Snapshots:
        made = translate(facts)
        node = next(one for one in made if one.kind is kind)
        kept = []
        for url in xds_types.ORDER:
            for found in made[node].of(url).values():
                if (url, found.name) == (type_url, name):
                    body = copy.deepcopy({k: v for k, v in found.plain.items() if k != "@type"})
                    change(body)
                    kept.append(resource(url, body))
                else:
                    kept.append(found)
        return {**made, node: Snapshot(kept)}

    return leak


def _route(body: Plain) -> Plain:
    """The edge's route of the home's tenants to inventory."""
    found: list[Plain] = body["virtual_hosts"][0]["routes"]
    return next(route for route in found if route["name"] == f"{HOME}/inventory")


def _host(body: Plain) -> Plain:
    found: Plain = body["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
    return found


def _manager(body: Plain) -> Plain:
    found: Plain = body["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def _with_region(region: str) -> Callable[..., Any]:
    """Targets that ask ``region`` too, last."""

    def replacement(right: Any, *given: Any) -> Any:
        return tuple(
            dataclasses.replace(one, regions=(*one.regions, region)) for one in right(*given)
        )

    return replacement


def _anybody(right: Any, *given: Any) -> Plain:
    made: Plain = right(*given)
    made["jurisdiction"]["principals"] = [{"any": True}]
    return made


def _without_home(right: Any, facts: Facts, home: str) -> list[Plain]:
    return [one for one in right(facts, home) if one["path"][1]["key"] != "home_region"]


def _wider(right: Any, facts: Facts, service: str, home: str) -> Plain:
    made: Plain = right(facts, service, home)
    common = made["typed_config"]["common_tls_context"]["combined_validation_context"]
    abroad = f"spiffe://us.hemline/{ABROAD}/sidecar/{service}"
    common["default_validation_context"]["match_typed_subject_alt_names"].append(
        {"san_type": "URI", "matcher": {"exact": abroad}}
    )
    return made


def _with(made: Snapshots, node: Node, *added: Resource) -> Snapshots:
    kept = (found for url in xds_types.ORDER for found in made[node].of(url).values())
    return {**made, node: Snapshot([*kept, *added])}


def _weighted_abroad(facts: Facts) -> Snapshots:
    """One call in a hundred goes to a cluster that is new, and abroad."""
    edge = nodes.edge(facts.region)
    name = f"inventory|{HOME}|{ABROAD}"

    def share(body: Plain) -> None:
        clusters = [{"name": CLUSTER, "weight": 9900}, {"name": name, "weight": 100}]
        action = _route(body)["route"]
        del action["cluster"]
        action["weighted_clusters"] = {"clusters": clusters}

    made = changed(Kind.EDGE, xds_types.ROUTES, "edge", share)(facts)
    cluster = copy.deepcopy(made[edge].of(xds_types.CLUSTER)[CLUSTER].plain)
    endpoints = copy.deepcopy(made[edge].of(xds_types.ENDPOINTS)[CLUSTER].plain)
    for body in (cluster, endpoints):
        del body["@type"]
    cluster["name"] = endpoints["cluster_name"] = name
    del endpoints["endpoints"][1:]
    del endpoints["endpoints"][0]["lb_endpoints"][1:]
    _host(endpoints)["socket_address"] = ABROAD_INVENTORY
    added = (resource(xds_types.CLUSTER, cluster), resource(xds_types.ENDPOINTS, endpoints))
    return _with(made, edge, *added)


def _forwards(facts: Facts) -> Snapshots:
    """The edge passes calls on that it is to send home."""
    with patch.object(Facts, "serves", lambda *_: True):
        return translate(facts)


def _foreign_keys(right: Any, facts: Facts, name: str) -> Plain:
    made: Plain = right(facts, name)
    if name == "EU":
        made["local_jwks"] = right(facts, "US")["local_jwks"]
    return made


def _foreign_authority(right: Any, facts: Facts, name: str, _: Any) -> Any:
    return right(facts, name, ("US",))


def _found_otherwise(**fields: Any) -> Callable[[Plain], Any]:
    def change(body: Plain) -> None:
        for key in ("eds_cluster_config", "load_assignment"):
            body.pop(key, None)
        body.update(fields)

    return change


def _spans(body: Plain) -> Plain:
    found: Plain = _manager(body)["tracing"]["provider"]["typed_config"]
    return found


def _spans_abroad(facts: Facts) -> Snapshots:
    """To a cluster that is new, whose name looks like that of a home."""
    edge, name = nodes.edge(facts.region), "otlp|spans"

    def tell(body: Plain) -> None:
        _spans(body)["grpc_service"]["envoy_grpc"]["cluster_name"] = name

    made = changed(*EDGE_LISTENER, tell)(facts)
    cluster = copy.deepcopy(made[edge].of(xds_types.CLUSTER)["otlp"].plain)
    del cluster["@type"]
    cluster["name"] = cluster["load_assignment"]["cluster_name"] = name
    _host(cluster["load_assignment"])["socket_address"] = ABROAD_COLLECTOR
    return _with(made, edge, resource(xds_types.CLUSTER, cluster))


def _tokens_reported(body: Plain) -> None:
    """Of calls from abroad too, whose words may not even be read here."""
    said = {"key": "token", "value": {"string_value": "%REQ(authorization)%"}}
    for logger in _manager(body)["access_log"]:
        logger["typed_config"]["body"] = {"kvlist_value": {"values": [said]}}


def _upgrades(body: Plain) -> None:
    """A way of its own for upgraded calls: to the router, past tokens and RBAC."""
    router = _manager(body)["http_filters"][-1]
    upgrade = {"upgrade_type": "websocket", "filters": [router]}
    _manager(body)["upgrade_configs"] = [upgrade]


def _for_a_century(right: Any, *given: Any) -> Plain:
    made: Plain = right(*given)
    return {**made, "clock_skew_seconds": CENTURY_SECONDS}


def _open_door(body: Plain) -> None:
    del body["filter_chains"][0]["transport_socket"]["typed_config"]["require_client_certificate"]


EDGE_ROUTES = (Kind.EDGE, xds_types.ROUTES, "edge")
EDGE_LISTENER = (Kind.EDGE, xds_types.LISTENER, "edge")
EDGE_CLUSTER = (Kind.EDGE, xds_types.CLUSTER, CLUSTER)

LEAKS: dict[str, Leak] = {
    "a region abroad stands in": edited(targets, "of", _with_region(ABROAD)),
    "one call in a hundred goes abroad": _weighted_abroad,
    "no home claim is asked for": edited(jwt, "home_claims", _without_home),
    "a drained region is kept": edited(targets, "of", _with_region(DRAINED)),
    "sidecars abroad would do": edited(tls, "upstream", _wider),
    "an authority abroad is believed": edited(tls, "_trust", _foreign_authority),
    "sidecars let anybody in": edited(rbac, "policies", _anybody),
    "no certificate is asked for": changed(Kind.SIDECAR, xds_types.LISTENER, "inbound", _open_door),
    "hosts that the client names": changed(
        *EDGE_CLUSTER, _found_otherwise(type="ORIGINAL_DST", lb_policy="CLUSTER_PROVIDED")
    ),
    "calls are passed on instead of sent home": _forwards,
    "the last route lets pass": edited(
        routes, "_denied", lambda _: {"match": {"prefix": "/"}, "route": {"cluster": CLUSTER}}
    ),
    "keys abroad in our name": edited(jwt, "_provider", _foreign_keys),
    "routes come from elsewhere": changed(
        *EDGE_LISTENER, lambda body: _manager(body)["rds"].update(config_source=FILE)
    ),
    "spans go to anybody": changed(
        *EDGE_LISTENER, lambda body: _spans(body).update(grpc_service=ANYWHERE)
    ),
    "spans go abroad": _spans_abroad,
    "tokens are reported": changed(*EDGE_LISTENER, _tokens_reported),
    "upgrades need no token": changed(Kind.SIDECAR, xds_types.LISTENER, "inbound", _upgrades),
    "clients' headers are believed": changed(
        *EDGE_LISTENER, lambda body: _manager(body).pop("early_header_mutation_extensions")
    ),
    "tokens live for a century": edited(jwt, "_provider", _for_a_century),
    "outdated tokens are taken": edited(jwt, "epoch_claims", lambda *_: []),
}
