"""The checker knows every field of what it reads, and refuses each other one.

Envoy has more ways than routes and endpoints to send calls, tokens or reports elsewhere.
"""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from services.router import check, nodes, xds_types
from services.router.translate import translate
from tests.unit.router.test_check import (
    CLUSTER,
    EDGE,
    HOSTS,
    JWT,
    ROUTES,
    SIDECAR,
    Change,
    jwt,
    problems,
    routes,
)
from tests.unit.router.test_check_access_log import config, manager
from tests.unit.router.world import facts

Plain = dict[str, Any]

CLIENT = nodes.client("eu-central-1", "forecast")
DOOR = (EDGE, xds_types.LISTENER, "edge")
INBOUND = (SIDECAR, xds_types.LISTENER, "inbound")
HOME = (EDGE, xds_types.CLUSTER, CLUSTER)
FILE = {"path_config_source": {"path": "/var/run/elsewhere.yaml"}}
ABROAD = {"google_grpc": {"target_uri": "dns:///spans.example:443", "stat_prefix": "spans"}}
SECRET = "%REQ(authorization)%"
ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{xds_types.HTTP_FILTERS}router.v3.Router"},
}


def of_manager(**fields: Any) -> Change:
    return lambda body: manager(body).update(fields)


def spans(body: Plain) -> Plain:
    found: Plain = manager(body)["tracing"]["provider"]["typed_config"]
    return found


def tag(body: Plain) -> None:
    manager(body)["tracing"]["custom_tags"].append(
        {"tag": "who", "request_header": {"name": "authorization"}}
    )


def second_door(body: Plain) -> None:
    chain = copy.deepcopy(body["filter_chains"][0])
    del chain["transport_socket"]
    body["default_filter_chain"] = chain


def of_filter(name: str, change: Callable[[Plain], Any]) -> Change:
    def of(body: Plain) -> None:
        [found] = [one for one in manager(body)["http_filters"] if one["name"].endswith(name)]
        change(found["typed_config"])

    return of


def empty_limits(config: Plain) -> None:
    kept = {key: config[key] for key in ("@type", "stat_prefix")}
    config.clear()
    config.update(kept)


def inbound_route(body: Plain) -> Plain:
    found: Plain = manager(body)["route_config"]["virtual_hosts"][0]["routes"][0]
    return found


def redirected(body: Plain) -> None:
    route = inbound_route(body)
    del route["route"]
    route["redirect"] = {"host_redirect": "us.example"}


def sent_home(body: Plain) -> list[Plain]:
    found: list[Plain] = next(one for one in routes(body) if one["name"].startswith("redirect/"))[
        "response_headers_to_add"
    ]
    return found


def sent_elsewhere(body: Plain) -> None:
    """To the endpoint of another region."""
    other = copy.deepcopy(sent_home(body))
    details = next(one["header"] for one in other if one["header"]["key"].endswith("-bin"))
    details["value"] = "CAkSBGF3YXk"
    sent_home(body)[:] = other


def echoed(name: str) -> Change:
    def change(body: Plain) -> None:
        found = next(one["header"] for one in sent_home(body) if one["header"]["key"] == name)
        found["value"] += SECRET

    return change


def public_route(body: Plain) -> Plain:
    found: Plain = next(one for one in routes(body) if one["name"].startswith("public/hemline."))
    return found


def reply(body: Plain) -> Plain:
    found: Plain = manager(body)["local_reply_config"]["mappers"][0]
    return found


def protocol(body: Plain) -> Plain:
    [found] = body["typed_extension_protocol_options"].values()
    return found  # type: ignore[no-any-return]


def listed(body: Plain) -> None:
    said = {"key": "token", "value": {"string_value": SECRET}}
    config(body)["body"] = {"kvlist_value": {"values": [said]}}


def host_of(body: Plain) -> Plain:
    found: Plain = body["endpoints"][0]["lb_endpoints"][0]
    return found


def origins(body: Plain) -> Plain:
    [found] = body["virtual_hosts"][0]["typed_per_filter_config"].values()
    return found  # type: ignore[no-any-return]


def rate(config: Plain) -> None:
    config["token_bucket"]["max_tokens"] = 4_000_000_000


ELSEWHERE = "go elsewhere than to the region's collector"

CASES: dict[str, tuple[Any, str, str, Change, str]] = {
    "routes from a file": (
        *DOOR,
        lambda body: manager(body)["rds"].update(config_source=FILE),
        "has routes that come by no discovery over ADS",
    ),
    "endpoints from a file": (
        *HOME,
        lambda body: body["eds_cluster_config"].update(eds_config=FILE),
        f"cluster {CLUSTER} takes endpoints from elsewhere than ADS",
    ),
    "spans to anybody": (*DOOR, lambda body: spans(body).update(grpc_service=ABROAD), ELSEWHERE),
    "a sidecar's spans to anybody": (
        *INBOUND,
        lambda body: spans(body).update(grpc_service=ABROAD),
        ELSEWHERE,
    ),
    "a cluster of no region": (
        EDGE,
        xds_types.CLUSTER,
        "otlp",
        lambda body: (
            body.update(name="otlp|x"),
            body["load_assignment"].update(cluster_name="otlp|x"),
        ),
        "cluster otlp|x is for nobody that is known",
    ),
    "hosts that come by no discovery": (
        *HOME,
        lambda body: (body.update(type="STATIC"), body.pop("eds_cluster_config")),
        f"cluster {CLUSTER} takes endpoints from elsewhere than ADS",
    ),
    "tokens in spans": (*DOOR, tag, "spans tell more than they should"),
    "addresses in spans": (
        *INBOUND,
        lambda body: manager(body)["tracing"]["custom_tags"].pop(0),
        "spans tell more than they should",
    ),
    "the environment in spans": (
        *DOOR,
        lambda body: spans(body)["resource_detectors"][0]["typed_config"]["attributes"].update(
            {"cloud.region": "elsewhere"}
        ),
        ELSEWHERE,
    ),
    "tokens in reports": (*DOOR, listed, "reports calls in a way that tells more"),
    "reports with a header": (
        *DOOR,
        lambda body: config(body)["common_config"]["grpc_service"].update(
            initial_metadata=[{"key": "who", "value": "x"}]
        ),
        "reports calls to somebody else",
    ),
    "upgrades": (
        *INBOUND,
        of_manager(upgrade_configs=[{"upgrade_type": "websocket", "filters": [ROUTER]}]),
        "listener inbound is told upgrade_configs",
    ),
    "certificates handed on": (
        *INBOUND,
        of_manager(forward_client_cert_details="ALWAYS_FORWARD_ONLY"),
        "listener inbound is told forward_client_cert_details",
    ),
    "tokens of a century": (
        EDGE,
        *JWT,
        lambda body: jwt(body)["providers"]["EU"].update(clock_skew_seconds=3_000_000_000),
        "provider EU takes tokens long after their expiry",
    ),
    "a second door": (*INBOUND, second_door, "listener inbound is told default_filter_chain"),
    "a door elsewhere": (
        *INBOUND,
        lambda body: body["address"]["socket_address"].update(port_value=1),
        "is at another address than its own",
    ),
    "a sidecar that redirects": (*INBOUND, redirected, "leads elsewhere than to its service"),
    "a sidecar that answers": (
        *INBOUND,
        lambda body: inbound_route(body).update(
            response_headers_to_add=[{"header": {"key": "who", "value": SECRET}}]
        ),
        "leads elsewhere than to its service",
    ),
    "sent to another endpoint": (
        EDGE,
        *ROUTES,
        sent_elsewhere,
        "answers with something else than where us-east-1 is",
    ),
    "sent away without an endpoint": (
        EDGE,
        *ROUTES,
        lambda body: sent_home(body).pop(),
        "answers with something else than where us-east-1 is",
    ),
    "tokens handed back": (
        EDGE,
        *ROUTES,
        echoed("grpc-message"),
        "answers with something else than where us-east-1 is",
    ),
    "tokens handed back in details": (
        EDGE,
        *ROUTES,
        echoed("grpc-status-details-bin"),
        "answers with something else than where us-east-1 is",
    ),
    "headers of a route": (
        EDGE,
        *ROUTES,
        lambda body: public_route(body).update(
            response_headers_to_add=[{"header": {"key": "who", "value": SECRET}}]
        ),
        "adds headers of its own",
    ),
    "signing in twice at once": (
        EDGE,
        *ROUTES,
        lambda body: public_route(body)["route"].update(
            hedge_policy={"hedge_on_per_try_timeout": True}
        ),
        "runs twice at once what changes something",
    ),
    "an answer sent again": (
        EDGE,
        *ROUTES,
        lambda body: public_route(body)["route"]["retry_policy"].update(retry_on="unavailable"),
        "repeats what may have run",
    ),
    "every page": (
        EDGE,
        *ROUTES,
        lambda body: origins(body).update(allow_origin_string_match=[{"prefix": ""}]),
        "sets envoy.filters.http.cors",
    ),
    "no limits": (*DOOR, of_filter("local_ratelimit", empty_limits), "calls are not limited"),
    "no limit": (*DOOR, of_filter("local_ratelimit", rate), "calls are not limited"),
    "a router with a log": (
        *INBOUND,
        of_filter("router", lambda config: config.update(suppress_envoy_headers=True)),
        "the router is told more than it should",
    ),
    "health for every path": (
        *DOOR,
        of_filter("health_check", lambda config: config.pop("headers")),
        "it has the filter envoy.filters.http.health_check before token verification",
    ),
    "filters behind the router": (
        SIDECAR,
        xds_types.CLUSTER,
        "app",
        lambda body: protocol(body).update(http_filters=[ROUTER]),
        "cluster app: it is told http_filters",
    ),
    "loads told elsewhere": (
        *HOME,
        lambda body: body.update(lrs_server={"self": {}}),
        f"cluster {CLUSTER} is told lrs_server",
    ),
    "a client's loads told elsewhere": (
        CLIENT,
        xds_types.CLUSTER,
        CLUSTER,
        lambda body: body.update(lrs_server={"self": {}}),
        f"cluster {CLUSTER} is told lrs_server",
    ),
    "hosts from somebody else": (
        EDGE,
        *HOSTS,
        lambda body: body["endpoints"][0].update(
            leds_cluster_locality_config={"leds_config": FILE}
        ),
        f"endpoints {CLUSTER} is told leds_cluster_locality_config",
    ),
    "health asked elsewhere": (
        EDGE,
        *HOSTS,
        lambda body: host_of(body)["endpoint"].update(health_check_config={"port_value": 1}),
        f"endpoints {CLUSTER} is told health_check_config",
    ),
    "a host taken for dead": (
        EDGE,
        *HOSTS,
        lambda body: host_of(body).update(health_status="UNHEALTHY"),
        f"endpoints {CLUSTER} is told health_status",
    ),
    "tokens in error answers": (
        *DOOR,
        lambda body: reply(body)["headers_to_add"].append(
            {
                "header": {"key": "who", "value": SECRET},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ),
        "a local reply tells of the call",
    ),
    "error answers with a body": (
        *DOOR,
        lambda body: reply(body).update(body={"inline_string": SECRET}),
        "a local reply has a body",
    ),
    "clients that say who they are": (
        *DOOR,
        of_manager(use_remote_address=False),
        "a client's address is what it says, or is lost",
    ),
}


def test_a_region_without_a_collector_sends_no_spans() -> None:
    """Neither does the checker want any, nor let them be sent."""
    found = facts()
    here = dataclasses.replace(found.here, otlp=None)
    silent = dataclasses.replace(found, endpoints={**found.endpoints, found.region: here})
    assert not check.prove(silent, translate(silent)).problems
    said = list(check.problems(silent, EDGE, translate(found)[EDGE]))
    assert "listener edge: spans are sent, though the region has no collector" in said


@pytest.mark.parametrize("name", CASES)
def test_finds(name: str) -> None:
    node, kind, resource_name, change, expected = CASES[name]
    found = problems(node, kind, resource_name, change)
    assert any(expected in problem for problem in found), found
