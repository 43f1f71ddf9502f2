"""What operators' commands print, and in which steps they go."""

import pytest
from hemline.router.v1 import operations_service_pb2 as pb
from rich.console import Console

from cli import drain, explain, policy, regions
from cli.problems import Problem


def printed(what: object) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


@pytest.mark.parametrize(
    ("held", "wanted", "step", "expected"),
    [
        (0, 100, 0, [100]),
        (0, 35, 10, [10, 20, 30, 35]),
        (0, 30, 10, [10, 20, 30]),
        (25, 28, 1, [26, 27, 28]),
        (100, 0, 40, [60, 20, 0]),
        (10, 10, 5, [10]),
    ],
)
def test_steps_lead_from_what_is_held_to_what_is_wanted(
    held: int, wanted: int, step: int, expected: list[int]
) -> None:
    assert list(drain.steps(held, wanted, step, every=0)) == expected


def test_a_route_is_drawn_with_who_is_asked_and_who_answers() -> None:
    request = pb.ExplainRouteRequest(home_region="eu-central-1", method="/a.B/Get")
    down = pb.RouteStep(region="eu-central-1", endpoints=["10.0.0.1:1"])
    up = pb.RouteStep(region="eu-west-1", healthy=True, serves=True)
    answer = pb.ExplainRouteResponse(
        outcome=pb.ROUTE_OUTCOME_SERVED,
        choices=[pb.RouteChoice(percent=70, steps=[down, up]), pb.RouteChoice(percent=30)],
    )
    lines = printed(explain.picture(request, answer)).splitlines()
    assert lines[0] == "Get for tenants of eu-central-1, at the edge of eu-central-1: served"
    assert "70 % of the calls" in lines[1]
    assert "○ 1. eu-central-1  not healthy  10.0.0.1:1" in lines[2]
    assert "● 2. eu-west-1  healthy  ◀ answers" in lines[3]
    assert "nobody" in lines[5]


def test_regions_are_shown_with_drains_health_and_load() -> None:
    message = pb.WatchRegionsResponse()
    message.time.FromSeconds(100)
    region = message.regions.add(name="regions/eu-central-1", drained_percent=30)
    seen = region.services.add(
        service="inventory", healthy_hosts=1, hosts=2, calls_per_second=12.34, errors_per_second=0.5
    )
    seen.report_time.FromSeconds(97)
    region.services.add(service="router")
    lines = printed(regions.table(message)).splitlines()
    assert lines[1].split() == [
        *("eu-central-1", "30", "%", "inventory", "1/2", "12.3", "0.5", "3", "s", "ago")
    ]
    assert lines[2].split() == ["router", "no", "report", "0.0", "0.0"]


def test_a_policy_is_told_in_words() -> None:
    held = pb.TrafficPolicy(
        jurisdiction="EU",
        mode=pb.TRAFFIC_MODE_WEIGHTED,
        weights={"eu-west-1": 30, "eu-central-1": 70},
        drained={"eu-west-1": 5},
        home_epoch_floor=2,
    )
    held.tracks["inventory"].percents["canary"] = 10
    assert policy.lines(held) == [
        "EU: weighted",
        "  eu-central-1: 70 % of the calls",
        "  eu-west-1: 30 % of the calls",
        "  eu-west-1: drained by 5 %",
        "  inventory: canary 10 %",
        "  tokens with a home epoch below 2 are refused",
    ]


def test_tracks_of_a_named_service_are_replaced_and_others_left() -> None:
    held = pb.TrafficPolicy()
    for service in ("inventory", "forecast", "identity"):
        held.tracks[service].percents["stable"] = 100
    policy._set_tracks(held, ["inventory:stable=90", "inventory:canary=10", "forecast:"])
    assert {name: dict(found.percents) for name, found in held.tracks.items()} == {
        "inventory": {"stable": 90, "canary": 10},
        "identity": {"stable": 100},
    }


@pytest.mark.parametrize("text", ["eu-west-1", "=5", "eu-west-1=x", "eu-west-1=-1"])
def test_a_weight_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="want REGION=PERCENT"):
        policy._percent(text, "REGION=PERCENT")


def test_an_unknown_mode_is_told_the_known_ones() -> None:
    with pytest.raises(Problem, match="known: failover, latency, geolocation, weighted"):
        policy._mode("fastest")
