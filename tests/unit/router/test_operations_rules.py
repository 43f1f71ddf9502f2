"""What operators may not do: who is to take calls over must be known to be healthy."""

from collections.abc import Set as AbstractSet
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
    def __init__(
        self,
        down: set[tuple[str, str]],
        silent: set[str],
        down_hosts: AbstractSet[tuple[str, str, str]],
    ) -> None:
        self.down = down
        self.silent = silent
        self.down_hosts = down_hosts

    def healthy_hosts(
        self, region: str, service: str, among: AbstractSet[str] | None = None
    ) -> tuple[int, int] | None:
        if region in self.silent:
            return None
        if self.down_hosts and among:
            ill = [host for host in among if (region, service, host) in self.down_hosts]
            return len(among) - len(ill), len(among)
        return (0, 2) if (region, service) in self.down else (1, 2)


def scene(
    *,
    down: tuple[str, ...] = (),
    silent: tuple[str, ...] = (),
    failover: dict[str, list[str]] | None = None,
    tracks: dict[str, list[str]] | None = None,
    down_track: tuple[str, ...] = (),
) -> Scene:
    """Of every region in ``down`` one service has no healthy host.

    ``down_track`` is a track, and the regions where that service's hosts of it are down.
    """
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
    track, regions = next(iter(down_track), ""), down_track[1:]
    down_hosts = {
        (name, "inventory", str(host.sidecar))
        for name in regions
        for host in found[name].services["inventory"]
        if host.track == track
    }
    reports = Reports({(name, "inventory") for name in down}, set(silent), down_hosts)
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


BOTH = {name: ["stable", "canary"] for name in REGIONS}
CANARY = Policy(tracks={"inventory": {"canary": 100}})
SOME = Policy(tracks={"inventory": {"canary": 10, "stable": 90}})


def test_not_every_call_may_go_to_a_track_of_which_no_host_is_known_to_be_healthy() -> None:
    dead = scene(tracks=BOTH, down_track=("canary", A))
    for before in (Policy(), SOME):
        with pytest.raises(LastHealthyRegion) as refusal:
            steer(dead, before, CANARY)
        said = str(refusal.value)
        assert f"Every call to inventory for tenants of {A}" in said
        assert f"({A}: inventory has 0 of 1 healthy hosts of track canary)" in said
        assert "leave a share to a track that is healthy" in said
        assert refusal.value.metadata == {"region": A}
        steer(scene(tracks=BOTH, down_track=("stable", *REGIONS)), before, CANARY)
    with pytest.raises(LastHealthyRegion, match="has sent no health report of track canary"):
        steer(scene(tracks=BOTH, silent=REGIONS), Policy(), CANARY)
    # A stable host takes what the canary cannot.
    steer(dead, Policy(), SOME)


def test_a_dead_canary_may_be_taken_back_whatever_is_known() -> None:
    for where in (
        scene(tracks=BOTH, down_track=("canary", *REGIONS)),
        scene(tracks=BOTH, silent=REGIONS),
    ):
        steer(where, CANARY, Policy())
        steer(where, CANARY, SOME)


def test_a_region_whose_asked_track_is_down_takes_no_drained_calls() -> None:
    dead = scene(tracks=BOTH, down_track=("canary", B, C, D))
    with pytest.raises(LastHealthyRegion, match="0 of 1 healthy hosts of track canary"):
        drain(dead, A, 100, CANARY)
    drain(dead, A, 100, SOME)
    # Tracks that nobody runs any more do not hold: then all hosts count.
    drain(scene(), A, 100, CANARY)


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
