"""What operators may not do: who is to take calls over must be known to be healthy."""

from dataclasses import replace
from typing import Any

import pytest

from services.chassis.errors import InvalidArgument
from services.router import endpoints
from services.router import operations_rules as safety
from services.router.errors import EpochFloorLowered, LastHealthyRegion
from services.router.operations_rules import Scene
from services.router.policy import Mode, Policy
from tests.unit.router.test_policy import REGIONS, four_regions

SERVICES = ("forecast", "inventory")
A, B, C, D = REGIONS


class Reports:
    def __init__(self, down: set[tuple[str, str]], silent: set[str]) -> None:
        self.down = down
        self.silent = silent

    def healthy_hosts(self, region: str, service: str) -> tuple[int, int] | None:
        if region in self.silent:
            return None
        return (0, 2) if (region, service) in self.down else (1, 2)


def scene(
    *,
    down: tuple[str, ...] = (),
    silent: tuple[str, ...] = (),
    failover: dict[str, list[str]] | None = None,
    tracks: dict[str, list[str]] | None = None,
) -> Scene:
    """Of every region in ``down`` one service has no healthy host."""
    topology = four_regions(failover)
    document: dict[str, Any] = {
        "regions": {
            name: {
                "edge": {"listen": "10.0.0.1:1"},
                "services": {
                    service: [
                        {"sidecar": f"10.0.0.2:{i}", "app": f"127.0.0.1:{i}", "track": track}
                        for i, track in enumerate((tracks or {}).get(name, ["stable"]), start=1)
                    ]
                    for service in SERVICES
                },
            }
            for name in topology.regions
        }
    }
    found = endpoints.parse(document, topology, set(SERVICES))
    reports = Reports({(name, "inventory") for name in down}, set(silent))
    return Scene(topology, "EU", found, reports)


def drain(where: Scene, region: str, percent: int, before: Policy | None = None) -> None:
    held = before or Policy()
    after = replace(held, drained={**held.drained, region: percent})
    safety.check_drain(where, held, after, region)


@pytest.mark.parametrize("percent", [1, 50, 100])
@pytest.mark.parametrize("mode", [Mode.FAILOVER, Mode.LATENCY, Mode.GEOLOCATION])
def test_a_drain_to_healthy_siblings_is_let_through(percent: int, mode: Mode) -> None:
    drain(scene(), A, percent, Policy(mode))


@pytest.mark.parametrize(
    ("where", "percent", "before", "says"),
    [
        (scene(down=(B, C, D)), 100, {}, f"{B}: inventory has 0 of 2 healthy hosts"),
        (scene(silent=(B, C, D)), 100, {}, "inventory has sent no health report"),
        (scene(down=(D,)), 100, {B: 100, C: 100}, f"{B} is drained"),
        (scene(), 100, {B: 100, C: 100, D: 100}, f"{D} is drained"),
        # Of a partial drain the next alone takes the calls; past it they would fall back.
        (scene(down=(B,)), 1, {}, f"{B}: inventory"),
        (scene(silent=(B,)), 1, {}, f"{B}: forecast has sent no health report"),
        (scene(failover={name: [] for name in REGIONS}), 1, {}, "has no other region"),
        (scene(failover={name: [] for name in REGIONS}), 100, {}, "has no other region"),
    ],
)
def test_a_drain_to_nobody_healthy_is_refused(
    where: Scene, percent: int, before: dict[str, int], says: str
) -> None:
    with pytest.raises(LastHealthyRegion, match=f"{A} cannot be drained") as refusal:
        drain(where, A, percent, Policy(drained=before))
    assert says in str(refusal.value)
    (violation,) = refusal.value.violations
    assert (violation.rule, violation.subject) == ("LAST_HEALTHY_REGION", f"regions/{A}")


def test_one_healthy_region_is_enough_to_take_everything() -> None:
    drain(scene(down=(B, D)), A, 100)


def test_a_dead_region_may_be_drained() -> None:
    drain(scene(down=(A,)), A, 100)


def test_a_region_that_others_only_fall_back_to_must_leave_somebody_too() -> None:
    # Nothing is sent to D first, but it is the last that is healthy.
    with pytest.raises(LastHealthyRegion):
        drain(scene(down=(A, B, C)), D, 100)


def steer(where: Scene, before: Policy, after: Policy) -> None:
    safety.check_steering(where, before, after)


def test_a_policy_may_not_send_every_call_to_where_nobody_is_healthy() -> None:
    weights = {A: 0, B: 100, C: 0, D: 0}
    for bad in (scene(down=(B,)), scene(silent=(B,))):
        with pytest.raises(LastHealthyRegion, match=f"would go to {B} first") as refusal:
            steer(bad, Policy(), Policy(Mode.WEIGHTED, weights))
        assert refusal.value.metadata == {"region": B}
    steer(scene(), Policy(), Policy(Mode.WEIGHTED, weights))
    steer(scene(down=(B,)), Policy(), Policy(Mode.WEIGHTED, {A: 1, B: 99, C: 0, D: 0}))


def test_what_does_not_move_calls_needs_no_health() -> None:
    steer(scene(silent=REGIONS), Policy(), Policy(home_epoch_floor=3))
    steer(scene(silent=REGIONS), Policy(), Policy(tracks={"inventory": {"stable": 100}}))


@pytest.mark.parametrize(
    ("policy", "field", "says"),
    [
        (Policy(Mode.WEIGHTED, {A: 60, B: 39}), "policy.weights", "add up to 99, not to 100"),
        (Policy(Mode.WEIGHTED, {"us-east-1": 100}), "policy.weights.us-east-1", "not a region"),
        (Policy(Mode.LATENCY, {A: 100}), "policy.weights", "only for weighted"),
        (Policy(tracks={"sales": {"stable": 100}}), "policy.tracks[sales]", "no such service"),
        (
            Policy(tracks={"inventory": {"green": 100}}),
            "policy.tracks[inventory]",
            "no host runs green; known: blue, stable",
        ),
        (
            Policy(tracks={"inventory": {"stable": 50, "blue": 49}}),
            "policy.tracks[inventory]",
            "adds up to 99, not to 100",
        ),
        (
            Policy(tracks={"inventory": {"stable": 101, "blue": -1}}),
            "policy.tracks[inventory]",
            "each is a percent",
        ),
        (
            Policy(tracks={"inventory": {"blue": 100}}),
            "policy.tracks[inventory]",
            f"{B} would have no host left",
        ),
    ],
)
def test_a_policy_that_cannot_hold_names_its_fields(policy: Policy, field: str, says: str) -> None:
    where = scene(tracks={A: ["stable", "blue"]})
    with pytest.raises(InvalidArgument) as refusal:
        safety.check_policy(where, policy)
    first = refusal.value.violations[0]
    assert first.field == field
    assert says in first.description


def test_tracks_that_every_region_runs_are_let_through() -> None:
    where = scene(tracks={A: ["stable", "blue"]})
    safety.check_policy(where, Policy(tracks={"inventory": {"stable": 90, "blue": 10}}))


def test_the_floor_only_grows() -> None:
    safety.check_floor(Policy(home_epoch_floor=2), 2)
    with pytest.raises(EpochFloorLowered, match="is 2 and only grows"):
        safety.check_floor(Policy(home_epoch_floor=2), 1)


def test_shares_name_who_is_asked_first_at_each_edge() -> None:
    found = safety.shares(four_regions(), "EU", Policy(drained={A: 1}))
    assert len(found) == 16
    (one,) = [each for each in found if (each.home, each.edge) == (A, D)]
    assert one.percents == {A: 99.0, B: 1.0}
