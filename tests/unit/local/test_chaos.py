"""What chaos would break, before it breaks anything."""

import os
from pathlib import Path

import pytest

from deploy.local import chaos, faults, limits, routes
from deploy.local import world as worlds
from deploy.local.faults import Fault, Kind
from deploy.local.parts import PlanError
from deploy.local.places import Places
from deploy.local.refused import Refused
from deploy.local.routes import Mode
from deploy.local.state import PartState, PartStatus, ProcessId, WorldState, WorldStatus
from deploy.local.world import World

PARTS = (
    "relay", "eu-west-1/postgres", "eu-west-1/standby-eu-central-1", "eu-west-1/redis",
    "eu-west-1/router", "eu-west-1/router-2", "eu-west-1/inventory",
    "eu-west-1/sidecar-inventory", "eu-west-1/sidecar-router-2", "eu-west-1/edge",
    "us-east-1/inventory",
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    return worlds.load(Places(tmp_path))


def status() -> WorldStatus:
    process = ProcessId.of(os.getpid())
    parts = {name: PartStatus(name, PartState.READY, process) for name in PARTS}
    return WorldStatus(state=WorldState.READY, parts=parts)


@pytest.mark.parametrize(
    ("service", "services_only", "names"),
    [
        (None, False, [name for name in PARTS if name.startswith("eu-west-1/")]),
        (
            None,
            True,
            ["eu-west-1/router", "eu-west-1/router-2", "eu-west-1/inventory",
             "eu-west-1/sidecar-inventory", "eu-west-1/sidecar-router-2", "eu-west-1/edge"],
        ),
        ("inventory", False, ["eu-west-1/inventory", "eu-west-1/sidecar-inventory"]),
        ("router", False, ["eu-west-1/router", "eu-west-1/router-2", "eu-west-1/sidecar-router-2"]),
    ],
)  # fmt: skip
def test_a_fault_is_of_one_region_and_of_what_was_asked(
    service: str | None,
    services_only: bool,  # noqa: FBT001 - a parameter of the test.
    names: list[str],
) -> None:
    found = chaos.members(status(), "eu-west-1", service, services_only=services_only)
    assert list(found) == names


def test_what_is_not_there_cannot_be_broken(world: World) -> None:
    found = status()
    with pytest.raises(Refused, match="unknown service postgres"):
        chaos.members(found, "eu-west-1", "postgres", services_only=False)
    with pytest.raises(Refused, match="nothing of eu-central-1 runs"):
        chaos.members(found, "eu-central-1", None, services_only=False)
    with pytest.raises(Refused, match="unknown region mars"):
        chaos.check(world, found, "mars")
    found.state = WorldState.STARTING
    with pytest.raises(Refused, match="the world is starting"):
        chaos.check(world, found, "eu-west-1")


def test_a_partition_cuts_every_way_from_and_to_the_region_and_no_other(world: World) -> None:
    under = chaos.routes_under(world, [Fault(Kind.PARTITION, "eu-west-1")])
    for route in under:
        touched = "eu-west-1" in (route.from_region, route.to_region)
        assert (route.mode is Mode.CUT) == touched
    assert any(route.mode is Mode.OPEN for route in under)


def test_slowness_is_added_to_the_round_trip_and_faults_add_up(world: World) -> None:
    under = chaos.routes_under(
        world,
        [Fault(Kind.SLOW, "eu-west-1", ms=100), Fault(Kind.SLOW, "us-east-1", ms=20)],
    )
    delays = {(route.from_region, route.to_region): route.delay_ms for route in under}
    assert delays["eu-central-1", "eu-west-1"] == 50
    assert delays["eu-west-1", "us-east-1"] == 60
    assert delays["us-east-1", "eu-central-1"] == 10


def test_only_what_was_killed_is_held(tmp_path: Path) -> None:
    record = tmp_path / "faults.json"
    assert faults.held(record) == frozenset()
    faults.write(
        record,
        [Fault(Kind.KILL, "a", ("a/x", "a/y")), Fault(Kind.FREEZE, "b", ("b/x",))],
    )
    assert faults.held(record) == {"a/x", "a/y"}
    faults.forget(record)
    assert faults.read(record) == ()


def test_a_machine_that_allows_too_little_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "max_user_instances"
    monkeypatch.setattr(limits, "INOTIFY_LIMIT", limit)
    limits.check_inotify(1000)  # Not a Linux that tells.
    limit.write_text("8\n")
    with pytest.raises(PlanError, match=r"needs 30 inotify .* of 8\. .*=32"):
        limits.check_inotify(15)


def test_what_the_relay_does_not_follow_is_not_recorded_and_can_be_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No relay runs here."""
    monkeypatch.setattr(chaos, "APPLIED_SECONDS", 0.1)
    record, cut = world.places.faults, Fault(Kind.PARTITION, "eu-west-1")
    with pytest.raises(Refused, match="does not follow"):
        chaos.strike(world, status(), cut)
    assert faults.read(record) == ()
    # Whenever a relay comes back, it does what the record says.
    assert routes.read(world.places.routes) == world.wan.routes()
    killed = Fault(Kind.KILL, "us-east-1", ("us-east-1/inventory",))
    faults.write(record, [killed, cut])
    with pytest.raises(Refused, match="does not follow"):
        chaos.heal(world, None)
    assert faults.read(record) == (cut,)
    assert routes.read(world.places.routes) == chaos.routes_under(world, [cut])
