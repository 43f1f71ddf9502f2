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
from services.router.snapshot import Snapshot, resource
from services.router.translate import Facts, jwt, rbac, routes, targets, tls, translate

HOME, ABROAD = "eu-north-1", "us-north-1"
DRAINED = "eu-north-4"
CLUSTER = f"inventory|{HOME}"
ABROAD_INVENTORY = {"address": "10.0.4.30", "port_value": 8443}

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


def _host(body: Plain, locality: int = 1) -> Plain:
    found: Plain = body["endpoints"][locality]["lb_endpoints"][0]["endpoint"]["address"]
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


def _other_home(right: Any, facts: Facts, home: str) -> list[Plain]:
    """Claims of another home: of the other jurisdiction's, for the first of ours."""
    found: list[Plain] = right(facts, ABROAD if home == HOME else home)
    return found


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


def _weighted_abroad(facts: Facts) -> Snapshots:
    """One call in a hundred goes to a cluster that is new, and abroad."""
    edge = nodes.edge(facts.region)
    name = f"inventory|{HOME}|{ABROAD}"

    def share(body: Plain) -> None:
        clusters = [{"name": CLUSTER, "weight": 9900}, {"name": name, "weight": 100}]
        action = _route(body)["route"]
        del action["cluster"]
        action["weighted_clusters"] = {"clusters": clusters}

    made = dict(changed(Kind.EDGE, xds_types.ROUTES, "edge", share)(facts))
    kept = [found for url in xds_types.ORDER for found in made[edge].of(url).values()]
    cluster = copy.deepcopy(made[edge].of(xds_types.CLUSTER)[CLUSTER].plain)
    endpoints = copy.deepcopy(made[edge].of(xds_types.ENDPOINTS)[CLUSTER].plain)
    for body in (cluster, endpoints):
        del body["@type"]
    cluster["name"] = endpoints["cluster_name"] = name
    del endpoints["endpoints"][1:]
    del endpoints["endpoints"][0]["lb_endpoints"][1:]
    _host(endpoints, 0)["socket_address"] = ABROAD_INVENTORY
    kept += [resource(xds_types.CLUSTER, cluster), resource(xds_types.ENDPOINTS, endpoints)]
    made[edge] = Snapshot(kept)
    return made


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


def _elsewhere(body: Plain) -> None:
    """Access logs go to the collector's cluster instead of the routers."""
    config = _manager(body)["access_log"][0]["typed_config"]
    config["common_config"]["grpc_service"] = {"envoy_grpc": {"cluster_name": "otlp"}}


def _open_door(body: Plain) -> None:
    del body["filter_chains"][0]["transport_socket"]["typed_config"]["require_client_certificate"]


EDGE_ROUTES = (Kind.EDGE, xds_types.ROUTES, "edge")
EDGE_LISTENER = (Kind.EDGE, xds_types.LISTENER, "edge")
EDGE_CLUSTER = (Kind.EDGE, xds_types.CLUSTER, CLUSTER)
EDGE_HOSTS = (Kind.EDGE, xds_types.ENDPOINTS, CLUSTER)

LEAKS: dict[str, Leak] = {
    "a region abroad stands in": edited(targets, "of", _with_region(ABROAD)),
    "a host abroad among our own": changed(
        *EDGE_HOSTS, lambda body: _host(body).update(socket_address=ABROAD_INVENTORY)
    ),
    "one call in a hundred goes abroad": _weighted_abroad,
    "claims of another home": edited(jwt, "home_claims", _other_home),
    "no home claim is asked for": edited(jwt, "home_claims", _without_home),
    "a copy of each call": changed(
        *EDGE_ROUTES,
        lambda body: _route(body)["route"].update(request_mirror_policies=[{"cluster": "otlp"}]),
    ),
    "a drained region is kept": edited(targets, "of", _with_region(DRAINED)),
    "a gap in priorities": changed(
        *EDGE_HOSTS, lambda body: body["endpoints"][-1].update(priority=7)
    ),
    "sidecars abroad would do": edited(tls, "upstream", _wider),
    "an authority abroad is believed": edited(tls, "_trust", _foreign_authority),
    "sidecars let anybody in": edited(rbac, "policies", _anybody),
    "no certificate is asked for": changed(Kind.SIDECAR, xds_types.LISTENER, "inbound", _open_door),
    "hosts that the client names": changed(
        *EDGE_CLUSTER, _found_otherwise(type="ORIGINAL_DST", lb_policy="CLUSTER_PROVIDED")
    ),
    "the client names the cluster": changed(
        *EDGE_ROUTES,
        lambda body: (
            _route(body)["route"].pop("cluster"),
            _route(body)["route"].update(cluster_header="x-cluster"),
        ),
    ),
    "calls are passed on instead of sent home": _forwards,
    "the last route lets pass": edited(
        routes, "_denied", lambda _: {"match": {"prefix": "/"}, "route": {"cluster": CLUSTER}}
    ),
    "keys abroad in our name": edited(jwt, "_provider", _foreign_keys),
    "calls are reported elsewhere": changed(*EDGE_LISTENER, _elsewhere),
    "clients' headers are believed": changed(
        *EDGE_LISTENER, lambda body: _manager(body).pop("early_header_mutation_extensions")
    ),
    "outdated tokens are taken": edited(jwt, "epoch_claims", lambda *_: []),
}
