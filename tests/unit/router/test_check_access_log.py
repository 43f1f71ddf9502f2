"""Proxies report every call, to their own routers alone, and of foreign tenants next to nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from services.router import xds_types
from tests.unit.router.test_check import EDGE, SIDECAR, problems

Plain = dict[str, Any]
PATH = "%PATH(NQ):120%"
TENANT = "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:US:tenant)%"


def manager(body: Plain) -> Plain:
    found: Plain = body["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def config(body: Plain, number: int = 0) -> Plain:
    found: Plain = manager(body)["access_log"][number]["typed_config"]
    return found


def report_silently(body: Plain) -> None:
    del manager(body)["access_log"]


def skip_foreign(body: Plain) -> None:
    manager(body)["access_log"].pop()


def report_twice(body: Plain) -> None:
    manager(body)["access_log"].append(manager(body)["access_log"][0])


def mix(body: Plain) -> None:
    manager(body)["access_log"][0].pop("filter")


def tell_whole_tokens(body: Plain) -> None:
    service = config(body)["common_config"]
    kind = f"{xds_types.EXTENSIONS}access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig"
    manager(body)["access_log"][0]["typed_config"] = {
        "@type": kind,
        "common_config": service,
        "body": {"string_value": "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%"},
    }


def tell_a_header(body: Plain) -> None:
    config(body)["body"]["string_value"] += "%REQ(X-SECRET)%"


def tell_a_foreign_path(body: Plain) -> None:
    config(body, 1)["body"]["string_value"] += PATH


def tell_a_foreign_tenant(body: Plain) -> None:
    config(body, 1)["body"]["string_value"] += TENANT


def tell_by_attributes(body: Plain) -> None:
    attribute = {"key": "who", "value": {"string_value": "%DOWNSTREAM_REMOTE_ADDRESS%"}}
    config(body)["attributes"] = {"values": [attribute]}


def tell_others(body: Plain) -> None:
    config(body)["common_config"]["grpc_service"]["envoy_grpc"]["cluster_name"] = "otlp"


def tell_by_the_listener(body: Plain) -> None:
    body["access_log"] = manager(body)["access_log"][:1]


CHANGES: tuple[tuple[Callable[[Plain], None], str], ...] = (
    (report_silently, "does not report each call"),
    (report_twice, "does not report each call"),
    (mix, "does not report each call"),
    (tell_whole_tokens, "reports %DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%"),
    (tell_a_header, "reports %REQ(X-SECRET)%"),
    (tell_by_attributes, "tells more than it should"),
    (tell_others, "to somebody else than its routers"),
    (tell_by_the_listener, "somebody else than the connection manager"),
)
AT_EDGES = (
    (skip_foreign, "does not report each call"),
    (tell_a_foreign_path, f"reports {PATH} of calls from US"),
    (tell_a_foreign_tenant, f"reports {TENANT} of calls from US"),
)


@pytest.mark.parametrize(("change", "problem"), [*CHANGES, *AT_EDGES])
def test_an_edge_that_reports_otherwise_is_refused(
    change: Callable[[Plain], None], problem: str
) -> None:
    assert any(problem in one for one in problems(EDGE, xds_types.LISTENER, "edge", change))


@pytest.mark.parametrize(("change", "problem"), CHANGES)
def test_a_sidecar_that_reports_otherwise_is_refused(
    change: Callable[[Plain], None], problem: str
) -> None:
    assert any(problem in one for one in problems(SIDECAR, xds_types.LISTENER, "inbound", change))


def test_no_route_leads_to_the_routers() -> None:
    def lead(body: Plain) -> None:
        body["virtual_hosts"][0]["routes"][0]["route"]["cluster"] = "ads"

    assert problems(EDGE, xds_types.ROUTES, "edge", lead)
