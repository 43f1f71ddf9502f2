"""The checker: what the translator makes passes, and each rule catches its own break."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from services.router import check, nodes, xds_types
from services.router.nodes import Node
from services.router.snapshot import Snapshot, resource
from services.router.translate import translate
from tests.unit.router.world import REGIONS, facts, key

EDGE = nodes.edge("eu-central-1")
SIDECAR = nodes.sidecar("eu-central-1", "inventory", 1)
CLUSTER = "inventory|eu-central-1"

Change = Callable[[dict[str, Any]], Any]


def problems(node: Node, kind: str, name: str, change: Change | None) -> list[str]:
    """What the checker says once ``change`` was made to a resource, or it was dropped if None."""
    snapshot = translate(facts())[node]
    kept = []
    for type_url in xds_types.ORDER:
        for found in snapshot.of(type_url).values():
            if (type_url, found.name) != (kind, name):
                kept.append(found)
            elif change is not None:
                body = copy.deepcopy(
                    {key: one for key, one in found.plain.items() if key != "@type"}
                )
                change(body)
                kept.append(resource(type_url, body))
    return list(check.problems(facts(), node, Snapshot(kept)))


def routes(body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["virtual_hosts"][0]["routes"]
    return found


def home_route(body: dict[str, Any]) -> dict[str, Any]:
    return next(route for route in routes(body) if route["name"] == "eu-west-1/inventory")


def host(body: dict[str, Any], locality: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = body["endpoints"][locality]["lb_endpoints"][0]["endpoint"]["address"]
    return found


def jwt(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["typed_config"]
    return found


def trust_both(body: dict[str, Any]) -> None:
    edges = translate(facts())[EDGE].of(xds_types.EXTENSION)["hemline-jwt"].plain["typed_config"]
    jwt(body)["providers"]["US"] = edges["providers"]["US"]


def swap_keys(body: dict[str, Any]) -> None:
    found = jwt(body)["providers"]
    eu, us = found["EU"]["local_jwks"], found["US"]["local_jwks"]
    found["EU"]["local_jwks"], found["US"]["local_jwks"] = us, eu


JWT = (xds_types.EXTENSION, "hemline-jwt")
ROUTES = (xds_types.ROUTES, "edge")
HOSTS = (xds_types.ENDPOINTS, CLUSTER)
UNSAFE = "route eu-west-1/inventory leads to inventory|eu-west-1 without its claims"

CASES: dict[str, tuple[Node, str, str, Change | None, str]] = {
    "cluster dropped": (EDGE, xds_types.CLUSTER, CLUSTER, None, "is named but not there"),
    "endpoints dropped": (EDGE, *HOSTS, None, "are not both there"),
    "routes dropped": (EDGE, *ROUTES, None, "routes edge are named but not there"),
    "filter dropped": (SIDECAR, *JWT, None, "filter hemline-jwt is named but not there"),
    "collector dropped": (EDGE, xds_types.CLUSTER, "otlp", None, "cluster otlp is named but"),
    "foreign host": (
        EDGE,
        *HOSTS,
        lambda body: host(body, 1)["socket_address"].update(address="10.0.2.30"),
        f"cluster {CLUSTER} holds 10.0.2.30:8443, which is in us-east-1",
    ),
    "unknown host": (
        EDGE,
        *HOSTS,
        lambda body: host(body)["socket_address"].update(address="192.0.2.1"),
        f"cluster {CLUSTER} holds 192.0.2.1:8443, which is in nowhere",
    ),
    "foreign collector": (
        EDGE,
        xds_types.CLUSTER,
        "otlp",
        lambda body: host(body["load_assignment"])["socket_address"].update(address="10.0.2.2"),
        "cluster otlp holds something else than its own address",
    ),
    "gap in priorities": (
        EDGE,
        *HOSTS,
        lambda body: body["endpoints"][1].update(priority=5),
        f"endpoints {CLUSTER} have priorities [0, 5]",
    ),
    "nobody at home": (
        EDGE,
        *HOSTS,
        lambda body: body["endpoints"][0].update(lb_endpoints=[]),
        f"endpoints {CLUSTER} have a priority without an address",
    ),
    "no endpoints": (EDGE, *HOSTS, lambda body: body.pop("endpoints"), "asks nobody while"),
    "sidecar trusts abroad": (SIDECAR, *JWT, trust_both, "would trust keys of US"),
    "keys swapped": (EDGE, *JWT, swap_keys, "provider EU holds keys or claims of another"),
    "claims under another name": (
        EDGE,
        *JWT,
        lambda body: jwt(body)["providers"]["US"].update(payload_in_metadata="EU"),
        "provider US holds keys or claims of another",
    ),
    "own keys missing": (
        EDGE,
        *JWT,
        lambda body: jwt(body)["providers"].pop("EU"),
        "the keys of EU are missing",
    ),
    "last rule missing": (
        EDGE,
        *JWT,
        lambda body: jwt(body)["rules"].pop(),
        "the last rule of token verification lets requests pass",
    ),
    "last rule asks nothing": (
        EDGE,
        *JWT,
        lambda body: jwt(body)["rules"][-1].pop("requires"),
        "the last rule of token verification lets requests pass",
    ),
    "no claims wanted": (
        EDGE,
        *ROUTES,
        lambda body: home_route(body)["match"].pop("dynamic_metadata"),
        UNSAFE,
    ),
    "claims of another home": (
        EDGE,
        *ROUTES,
        lambda body: home_route(body)["route"].update(cluster=CLUSTER),
        f"route eu-west-1/inventory leads to {CLUSTER} without its claims",
    ),
    "claims inverted": (
        EDGE,
        *ROUTES,
        lambda body: home_route(body)["match"]["dynamic_metadata"][0].update(invert=True),
        "'invert': True",
    ),
    "a copy abroad": (
        EDGE,
        *ROUTES,
        lambda body: home_route(body)["route"].update(
            request_mirror_policies=[{"cluster": CLUSTER}]
        ),
        "route eu-west-1/inventory is told request_mirror_policies",
    ),
    "unknown home": (
        EDGE,
        *HOSTS,
        lambda body: body.update(cluster_name="inventory|mars"),
        "cluster inventory|mars is for tenants of an unknown region",
    ),
    "last route missing": (EDGE, *ROUTES, lambda body: routes(body).pop(), "does not deny"),
    "last route allows": (
        EDGE,
        *ROUTES,
        lambda body: routes(body)[-1].pop("typed_per_filter_config"),
        "the last route does not deny",
    ),
}


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("abroad", ["redirect", "forward"])
def test_what_the_translator_makes_passes(region: str, abroad: str) -> None:
    found = facts(region, abroad)
    for node, snapshot in translate(found).items():
        assert list(check.problems(found, node, snapshot)) == []


@pytest.mark.parametrize("name", CASES)
def test_finds(name: str) -> None:
    node, kind, resource_name, change, expected = CASES[name]
    found = problems(node, kind, resource_name, change)
    assert any(expected in problem for problem in found), found


def test_an_address_of_two_regions_may_not_be_used() -> None:
    found = facts()
    foreign = found.endpoints["us-east-1"]
    shared = dataclasses.replace(foreign, services=found.endpoints["eu-central-1"].services)
    mixed = dataclasses.replace(found, endpoints={**found.endpoints, "us-east-1": shared})
    for problem in check.problems(mixed, EDGE, translate(mixed)[EDGE]):
        assert "which is in us-east-1" in problem
        return
    raise AssertionError


def test_keys_must_be_those_of_the_facts() -> None:
    found = facts()
    other = dataclasses.replace(found, keys={"EU": (key(found.topology, "EU", "9"),), "US": ()})
    said = list(check.problems(found, SIDECAR, translate(other)[SIDECAR]))
    assert said == ["provider EU holds keys or claims of another jurisdiction"]
