"""The checker: nothing that keeps callers without a token out may be missing or weakened."""

from typing import Any

import pytest

from services.router import xds_types
from tests.unit.router.test_check import EDGE, HOSTS, JWT, ROUTES, SIDECAR, Change, jwt, problems
from tests.unit.router.test_check import host as address
from tests.unit.router.test_check import routes as edge_routes

EDGES = (EDGE, xds_types.LISTENER, "edge")
SIDECARS = (SIDECAR, xds_types.LISTENER, "inbound")
ORDER = "token verification, RBAC and the router are not its last filters"


def manager(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def without(name: str) -> Change:
    def change(body: dict[str, Any]) -> None:
        filters = manager(body)["http_filters"]
        filters[:] = [one for one in filters if one["name"] != name]

    return change


def on_filter(name: str, **fields: Any) -> Change:
    def change(body: dict[str, Any]) -> None:
        found = next(one for one in manager(body)["http_filters"] if one["name"] == name)
        found.update(fields)

    return change


def swapped(body: dict[str, Any]) -> None:
    filters = manager(body)["http_filters"]
    filters[-3], filters[-2] = filters[-2], filters[-3]


def inline_routes(body: dict[str, Any]) -> None:
    """To a home's cluster, whoever asks."""
    found = manager(body)
    del found["rds"]
    route = {"match": {"prefix": "/"}, "route": {"cluster": "inventory|eu-central-1"}}
    hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]
    found["route_config"] = {"name": "edge", "virtual_hosts": hosts}


def policies(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manager(body)["http_filters"][-2]["typed_config"]["rules"]["policies"]
    return found


def everybody(body: dict[str, Any]) -> None:
    caller = {"authenticated": {"principal_name": {"exact": "spiffe://elsewhere.example/edge"}}}
    policies(body)["all"] = {"permissions": [{"any": True}], "principals": [caller]}


def anybody(body: dict[str, Any]) -> None:
    policies(body)["all"] = {"permissions": [{"any": True}], "principals": [{"any": True}]}


def ids(body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = policies(body)["jurisdiction"]["principals"][0]["and_ids"]["ids"]
    return found


def claim(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ids(body)[0]["sourced_metadata"]["metadata_matcher"]
    return found


def sans(body: dict[str, Any]) -> list[dict[str, Any]]:
    common = body["transport_socket"]["typed_config"]["common_tls_context"]
    validation = common["combined_validation_context"]["default_validation_context"]
    found: list[dict[str, Any]] = validation["match_typed_subject_alt_names"]
    return found


def elsewhere(body: dict[str, Any]) -> None:
    action = manager(body)["route_config"]["virtual_hosts"][0]["routes"][0]["route"]
    action["cluster"] = "otlp"


def rule_without_token(body: dict[str, Any]) -> None:
    jwt(body)["rules"].insert(0, {"match": {"prefix": "/hemline."}})


def last_rule(requires: dict[str, Any]) -> Change:
    return lambda body: jwt(body)["rules"][-1].update(requires=requires)


def provider(**changed: Any) -> Change:
    return lambda body: jwt(body)["providers"]["EU"].update(changed)


def unverified(body: dict[str, Any]) -> None:
    edge_routes(body)[0]["typed_per_filter_config"] = {
        "envoy.filters.http.jwt_authn": {
            "@type": f"{xds_types.HTTP_FILTERS}jwt_authn.v3.PerRouteConfig",
            "disabled": True,
        }
    }


def pipe(body: dict[str, Any]) -> None:
    found = address(body)
    found.clear()
    found["pipe"] = {"path": "/run/elsewhere.sock"}


def named_host(body: dict[str, Any]) -> None:
    locality = body["endpoints"][0]
    locality["lb_endpoints"] = [{"endpoint_name": "elsewhere"}]


def probe(of: str = "Health/Check", **changed: Any) -> Change:
    def change(body: dict[str, Any]) -> None:
        found = next(r for r in edge_routes(body) if r["name"].endswith(of))
        found["route"].update(changed)

    return change


OPEN = "the last rule of token verification lets requests pass"
ANY = {"requires_any": {"requirements": [{"provider_name": "EU"}, {"allow_missing_or_failed": {}}]}}

CASES: dict[str, tuple[Any, str, str, Change, str]] = {
    "edge without tokens": (*EDGES, without("hemline-jwt"), ORDER),
    "edge without RBAC": (*EDGES, without("envoy.filters.http.rbac"), ORDER),
    "edge checks after RBAC": (*EDGES, swapped, ORDER),
    "edge that may skip tokens": (*EDGES, on_filter("hemline-jwt", disabled=True), ORDER),
    "edge believes clients' headers": (
        *EDGES,
        lambda body: manager(body).pop("early_header_mutation_extensions"),
        "headers of ours that a client sends are not dropped",
    ),
    "edge believes some of them": (
        *EDGES,
        lambda body: manager(body)["early_header_mutation_extensions"][0]["typed_config"][
            "mutations"
        ].pop(),
        "headers of ours that a client sends are not dropped",
    ),
    "edge with routes of its own": (*EDGES, inline_routes, "has routes that come by no discovery"),
    "edge takes paths as they come": (
        *EDGES,
        lambda body: manager(body).pop("normalize_path"),
        "a path may be spelled in several ways",
    ),
    "rule that wants no token": (
        EDGE,
        *JWT,
        rule_without_token,
        "a rule of token verification opens {'prefix': '/hemline.'}",
    ),
    "tokens may be missing": (EDGE, *JWT, last_rule({"allow_missing_or_failed": {}}), OPEN),
    "tokens may be missing too": (EDGE, *JWT, last_rule(ANY), OPEN),
    "one issuer too few": (EDGE, *JWT, last_rule({"provider_name": "EU"}), OPEN),
    "cross-origin calls pass": (
        EDGE,
        *JWT,
        lambda body: jwt(body).update(bypass_cors_preflight=True),
        "token verification is told bypass_cors_preflight",
    ),
    "tokens without an end": (
        EDGE,
        *JWT,
        lambda body: jwt(body)["providers"]["EU"].pop("require_expiration"),
        "provider EU takes tokens without an expiry",
    ),
    "another issuer": (EDGE, *JWT, provider(issuer="https://evil.example"), "of another"),
    "another audience": (EDGE, *JWT, provider(audiences=["hemline:US"]), "of another"),
    "tokens in the URL": (
        EDGE,
        *JWT,
        provider(from_params=["access_token"]),
        "provider EU is told from_params",
    ),
    "a route without tokens": (EDGE, *ROUTES, unverified, "sets envoy.filters.http.jwt_authn"),
    "health among signing in": (
        EDGE,
        *ROUTES,
        probe(cluster="identity|eu-central-1"),
        "leads to identity|eu-central-1 without its claims",
    ),
    "health without an end": (
        EDGE,
        *ROUTES,
        probe(max_stream_duration={}),
        "leads to identity-open|eu-central-1 without its claims",
    ),
    "signing in without an end": (
        EDGE,
        *ROUTES,
        probe("ExchangeToken", max_stream_duration={"grpc_timeout_header_max": "0s"}),
        "leads to identity|eu-central-1 without its claims",
    ),
    "signing in for as long as the client says": (
        EDGE,
        *ROUTES,
        probe(
            "ExchangeToken",
            max_stream_duration={"max_stream_duration": "60s", "grpc_timeout_header_max": "0s"},
        ),
        "leads to identity|eu-central-1 without its claims",
    ),
    "watching health": (
        EDGE,
        *JWT,
        lambda body: jwt(body)["rules"].insert(0, {"match": {"prefix": "/grpc.health.v1.Health/"}}),
        "a rule of token verification opens {'prefix': '/grpc.health.v1.Health/'}",
    ),
    "a pipe": (EDGE, *HOSTS, pipe, "has an address that is no socket"),
    "a host by name": (EDGE, *HOSTS, named_host, "has a host without an address"),
    "a cluster that goes anywhere": (
        EDGE,
        xds_types.CLUSTER,
        "otlp",
        lambda body: (body.pop("load_assignment"), body.update(type="ORIGINAL_DST")),
        "cluster otlp finds its hosts by ORIGINAL_DST",
    ),
    "endpoints of another": (
        EDGE,
        xds_types.CLUSTER,
        "inventory|eu-central-1",
        lambda body: body["eds_cluster_config"].update(service_name="inventory|us-east-1"),
        "cluster inventory|eu-central-1 takes endpoints of inventory|us-east-1",
    ),
    "sidecar without tokens": (*SIDECARS, without("hemline-jwt"), ORDER),
    "sidecar without RBAC": (*SIDECARS, without("envoy.filters.http.rbac"), ORDER),
    "sidecar's RBAC asks nothing": (
        *SIDECARS,
        lambda body: manager(body)["http_filters"][-2]["typed_config"].pop("rules"),
        "RBAC has no rules",
    ),
    "sidecar lets everybody in": (
        *SIDECARS,
        everybody,
        "RBAC lets pass spiffe://elsewhere.example/edge at",
    ),
    "sidecar lets anybody in": (*SIDECARS, anybody, "RBAC has a rule that nobody can judge"),
    "sidecar asks for no token": (
        *SIDECARS,
        lambda body: ids(body).pop(0),
        "RBAC lets pass spiffe://eu.hemline/eu-central-1/client/forecast at /elsewhere with {}",
    ),
    "sidecar asks for no certificate": (
        *SIDECARS,
        lambda body: ids(body).pop(),
        "RBAC lets pass spiffe://elsewhere.example/edge at",
    ),
    "sidecar's door stands open": (
        *SIDECARS,
        lambda body: body["filter_chains"][0]["transport_socket"]["typed_config"].pop(
            "require_client_certificate"
        ),
        "lets callers in without a certificate",
    ),
    "sidecar trusts anybody": (
        SIDECAR,
        xds_types.SECRET,
        "trust/callers",
        lambda body: body["validation_context"].pop("custom_validator_config"),
        "secret trust/callers trusts others than it should",
    ),
    "another sidecar would do": (
        EDGE,
        xds_types.CLUSTER,
        "inventory|eu-central-1",
        lambda body: sans(body)[0]["matcher"].update(exact="spiffe://us.hemline/us-east-1/edge"),
        "cluster inventory|eu-central-1 would speak to others than inventory of EU",
    ),
    "no TLS": (
        EDGE,
        xds_types.CLUSTER,
        "inventory|eu-central-1",
        lambda body: body.pop("transport_socket"),
        "cluster inventory|eu-central-1 would speak to others than inventory of EU",
    ),
    "sidecar denies instead": (
        *SIDECARS,
        lambda body: manager(body)["http_filters"][-2]["typed_config"]["rules"].update(
            action="DENY"
        ),
        "RBAC has no rules, or rules that deny",
    ),
    "sidecar's jurisdiction of any value": (
        *SIDECARS,
        lambda body: claim(body).update(value={"present_match": True}),
        "RBAC has a rule that nobody can judge",
    ),
    "sidecar sends elsewhere": (*SIDECARS, elsewhere, "leads elsewhere than to its service"),
}


@pytest.mark.parametrize("name", CASES)
def test_finds(name: str) -> None:
    node, kind, resource_name, change, expected = CASES[name]
    found = problems(node, kind, resource_name, change)
    assert any(expected in problem for problem in found), found
