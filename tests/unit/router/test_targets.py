"""Policy to clusters: shares, drains, tracks, and tokens that are outdated."""

import dataclasses
from typing import Any

import pytest

from services.router import check, nodes, xds_types
from services.router.policy import Mode, Policy
from services.router.snapshot import Snapshot
from services.router.translate import Facts, translate
from tests.unit.router.test_check import problems
from tests.unit.router.world import facts

EDGE = nodes.edge("eu-central-1")


def under(policy: Policy, **hosts: Any) -> Facts:
    return dataclasses.replace(facts(), policies={"EU": policy}, **hosts)


def edge(found: Facts) -> Snapshot:
    made = translate(found)
    assert check.prove(found, made).problems == ()
    return made[EDGE]


def action(snapshot: Snapshot, name: str = "eu-central-1/inventory") -> dict[str, Any]:
    [host] = snapshot.of(xds_types.ROUTES)["edge"].plain["virtual_hosts"]
    found: dict[str, Any] = next(one["route"] for one in host["routes"] if one["name"] == name)
    return found


def regions(snapshot: Snapshot, cluster: str) -> list[str]:
    found = snapshot.of(xds_types.ENDPOINTS)[cluster].plain.get("endpoints", [])
    by_priority = sorted(found, key=lambda one: one.get("priority", 0))
    return [one["locality"]["region"] for one in by_priority]


def test_a_part_that_is_drained_goes_to_the_sibling_by_weight() -> None:
    made = edge(under(Policy(drained={"eu-central-1": 1})))
    assert action(made)["weighted_clusters"]["clusters"] == [
        {"name": "inventory|eu-central-1", "weight": 9900},
        {"name": "inventory|eu-central-1|eu-west-1", "weight": 100},
    ]
    assert regions(made, "inventory|eu-central-1") == ["eu-central-1", "eu-west-1"]
    assert regions(made, "inventory|eu-central-1|eu-west-1") == ["eu-west-1", "eu-central-1"]


def test_a_region_that_is_drained_is_in_no_cluster() -> None:
    made = edge(under(Policy(drained={"eu-central-1": 100})))
    assert action(made)["cluster"] == "inventory|eu-central-1"
    assert regions(made, "inventory|eu-central-1") == ["eu-west-1"]


def test_with_every_region_drained_nobody_is_asked() -> None:
    made = edge(under(Policy(drained={"eu-central-1": 100, "eu-west-1": 100})))
    assert regions(made, "inventory|eu-central-1") == []


def test_weights_are_shares_of_calls() -> None:
    weights = {"eu-central-1": 70, "eu-west-1": 30}
    made = edge(under(Policy(mode=Mode.WEIGHTED, weights=weights)))
    shares = action(made)["weighted_clusters"]["clusters"]
    assert [one["weight"] for one in shares] == [7000, 3000]


@pytest.mark.parametrize(("share", "expected"), [(10, {"stable": 90, "canary": 10}), (0, None)])
def test_tracks_share_a_region_by_weight(share: int, expected: dict[str, int] | None) -> None:
    found = facts()
    here = found.endpoints["eu-central-1"]
    stable, second = here.services["inventory"]
    canary = dataclasses.replace(second, track="canary")
    services = {**here.services, "inventory": (stable, canary)}
    region = dataclasses.replace(here, services=services)
    policy = Policy(tracks={"inventory": {"stable": 100 - share, "canary": share}})
    made = edge(under(policy, endpoints={**found.endpoints, "eu-central-1": region}))
    localities = made.of(xds_types.ENDPOINTS)["inventory|eu-central-1"].plain["endpoints"]
    home = {
        one["locality"]["sub_zone"]: one["load_balancing_weight"]
        for one in localities
        if one["locality"]["region"] == "eu-central-1"
    }
    assert home == (expected or {"stable": 100})


def test_a_region_without_a_wanted_track_is_left_out() -> None:
    found = facts()
    west = found.endpoints["eu-west-1"]
    green = tuple(dataclasses.replace(one, track="green") for one in west.services["inventory"])
    region = dataclasses.replace(west, services={**west.services, "inventory": green})
    policy = Policy(tracks={"inventory": {"green": 100}})
    made = edge(under(policy, endpoints={**found.endpoints, "eu-west-1": region}))
    assert regions(made, "inventory|eu-central-1") == ["eu-west-1"]


@pytest.mark.parametrize("drained", [{}, {"eu-central-1": 100}])
def test_tracks_that_nobody_runs_any_more_leave_all_hosts_in_use(drained: dict[str, int]) -> None:
    finished = Policy(drained=drained, tracks={"inventory": {"canary": 100}})
    made = edge(under(finished))
    as_if_never_set = edge(under(Policy(drained=drained)))
    cluster = "inventory|eu-central-1"
    assert regions(made, cluster) == regions(as_if_never_set, cluster) != []


def test_the_checker_says_that_nobody_serves() -> None:
    said = problems(
        EDGE, xds_types.ENDPOINTS, "inventory|eu-central-1", lambda body: body.pop("endpoints")
    )
    assert "nobody serves inventory to tenants of eu-central-1, though not all is drained" in said


def test_outdated_tokens_match_no_route_and_no_sidecar() -> None:
    made = translate(under(Policy(home_epoch_floor=7)))
    wanted = "{'double_match': {'range': {'start': 7.0, 'end': 9007199254740992.0}}}"
    for node in (EDGE, nodes.sidecar("eu-central-1", "inventory", 1)):
        assert wanted in str(made[node].plain())
        assert wanted not in str(translate(facts())[node].plain())


def test_no_tenant_stands_in_a_snapshot_and_limits_are_for_each() -> None:
    listener = edge(facts()).of(xds_types.LISTENER)["edge"].plain
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    [limits] = [one for one in filters if one["name"].endswith("local_ratelimit")]
    [descriptor] = limits["typed_config"]["descriptors"]
    assert descriptor["entries"] == [{"key": "tenant"}]


SETTINGS: dict[str, Any] = {
    "panic": lambda body: body["common_lb_config"].pop("healthy_panic_threshold"),
    "merge window": lambda body: body["common_lb_config"].pop("update_merge_window"),
    "removed hosts": lambda body: body.pop("ignore_health_on_host_removal"),
    "retry budget": lambda body: body["circuit_breakers"]["thresholds"][0].pop("retry_budget"),
    "outliers": lambda body: body["outlier_detection"].update(
        split_external_local_origin_errors=False
    ),
    "ejections": lambda body: body["outlier_detection"].update(enforcing_consecutive_5xx=100),
    "health checks": lambda body: body.pop("health_checks"),
    "standing by": lambda body: body["health_checks"][0].pop("no_traffic_interval"),
    "authority": lambda body: body["health_checks"][0]["grpc_health_check"].pop("authority"),
    "pings": lambda body: body["typed_extension_protocol_options"].clear(),
    "connections": lambda body: body.pop("close_connections_on_host_health_failure"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_checker_misses_each_setting_that_saves_calls(name: str) -> None:
    assert problems(EDGE, xds_types.CLUSTER, "inventory|eu-central-1", SETTINGS[name])
