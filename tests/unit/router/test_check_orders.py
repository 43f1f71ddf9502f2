"""Health discovery: edges ask whom they should, and a wrong order is not given."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import json_format

from services.router import health, nodes
from services.router.check import orders
from services.router.translate import translate
from tests.unit.router.world import REGIONS, facts

Plain = dict[str, Any]


def problems(region: str, change: Callable[[Plain], Any] | None = None) -> list[str]:
    found = facts(region)
    edge = translate(found)[nodes.edge(region)]
    made = health.specifier(found, edge)
    plain = json_format.MessageToDict(made, preserving_proto_field_name=True)
    if change is not None:
        change(plain)
    return list(orders.problems(found, edge, plain))


def first(orders: Plain) -> Plain:
    found: Plain = orders["cluster_health_checks"][0]
    return found


def tls(orders: Plain) -> Plain:
    socket = first(orders)["transport_socket_matches"][0]["transport_socket"]
    found: Plain = socket["typed_config"]["common_tls_context"]
    return found


def host(orders: Plain) -> Plain:
    found: Plain = first(orders)["locality_endpoints"][0]["endpoints"][0]["address"]
    return found


CASES: dict[str, tuple[Callable[[Plain], Any], str]] = {
    "a host abroad": (
        lambda body: host(body)["socket_address"].update(address="10.0.2.10"),
        "asks 10.0.2.10:8443, which is not there",
    ),
    "a region abroad": (
        lambda body: first(body).update(cluster_name="health|forecast|us-east-1"),
        "asks outside of the jurisdiction",
    ),
    "in the clear": (
        lambda body: first(body).pop("transport_socket_matches"),
        "would speak to others",
    ),
    "anybody with a certificate": (
        lambda body: tls(body)["validation_context"].pop("match_typed_subject_alt_names"),
        "would speak to others",
    ),
    "any authority": (
        lambda body: tls(body)["validation_context"].pop("custom_validator_config"),
        "would speak to others",
    ),
    "a log of its own": (
        lambda body: first(body)["health_checks"][0].update(event_log_path="log"),
        "is told event_log_path",
    ),
}


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_ordered_passes(region: str) -> None:
    assert problems(region) == []


@pytest.mark.parametrize("name", CASES)
def test_finds(name: str) -> None:
    change, expected = CASES[name]
    found = problems("eu-central-1", change)
    assert any(expected in problem for problem in found), found
