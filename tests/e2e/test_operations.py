"""A region is broken on purpose, or drained: its tenants are served by the sibling, and go home."""

import json
import time
from collections.abc import Callable, Iterator

import grpc
import pytest

from deploy.local import chaos, state
from deploy.local.faults import Fault, Kind
from deploy.local.state import PartState, WorldStatus
from tests.support.calls import LIST_FORECASTS, LIST_LEVELS, call_grpc
from tests.support.world import EDGES, EU_PLANNER, World

HOME, SIBLING = "eu-central-1", "eu-west-1"
PATIENCE_SECONDS = 40
RETRY_SECONDS = 0.2
NOBODY = "RESIDENCY_NO_HEALTHY_REGION"


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def served_by(world: World, edge: str, path: str = LIST_LEVELS) -> str:
    """Which region serves the planner's call, which must be served.

    On a machine that is overloaded the sibling may look ill for a moment as well: then the answer
    asks for another try. That nothing is lost where there is time enough is shown by
    `make prove-failover`.
    """
    metadata = {"authorization": f"Bearer {world.token(EU_PLANNER)}"}
    deadline = time.monotonic() + PATIENCE_SECONDS
    found = call_grpc(EDGES[edge], path, metadata)
    while found.reason == NOBODY and time.monotonic() < deadline:
        time.sleep(RETRY_SECONDS)
        found = call_grpc(EDGES[edge], path, metadata)
    assert found.code == grpc.StatusCode.OK, (found.code, found.reason)
    assert found.answer.ByteSize() > 0
    return found.headers["x-hemline-served-by"]


def goes_home(world: World) -> bool:
    """Whether a call is answered, and by its home: a region that comes back may need a moment."""
    metadata = {"authorization": f"Bearer {world.token(EU_PLANNER)}"}
    found = call_grpc(EDGES[SIBLING], LIST_LEVELS, metadata)
    served = found.headers.get("x-hemline-served-by")
    return found.code == grpc.StatusCode.OK and served == HOME


def status(world: World) -> WorldStatus:
    found = state.read(world.places.status)
    assert found is not None
    return found


def states(world: World, names: tuple[str, ...]) -> set[PartState]:
    parts = status(world).parts
    return {parts[name].state for name in names}


def strike(world: World, kind: Kind, *, ms: float = 0) -> tuple[str, ...]:
    """Breaks all of `HOME`. Returns the parts that it is about."""
    found, drawn = status(world), world.drawn()
    members = chaos.members(found, HOME, None, services_only=False)
    parts = members if kind in (Kind.KILL, Kind.FREEZE) else ()
    chaos.strike(drawn, found, Fault(kind, HOME, parts, ms))
    return parts


@pytest.fixture
def healed(world: World) -> Iterator[None]:
    """Calls go home before and after, whatever happened between."""
    world.token(EU_PLANNER)
    until(lambda: goes_home(world), "calls do not go home")
    try:
        yield
    finally:
        chaos.heal(world.drawn(), None)
        list(chaos.wait_until_well(world.drawn(), tuple(EDGES)))
        until(lambda: goes_home(world), "calls do not go home again")


@pytest.mark.usefixtures("healed")
def test_the_sibling_serves_a_region_that_was_killed_until_it_is_healed(world: World) -> None:
    before = status(world).parts
    parts = strike(world, Kind.KILL)
    assert {served_by(world, SIBLING, path) for path in (LIST_LEVELS, LIST_FORECASTS)} == {SIBLING}
    until(lambda: states(world, parts) == {PartState.HELD}, "something was started again")
    # The region's edge is gone as well: a client goes to the next.
    words = ("stock", "--user", EU_PLANNER, "--json")
    until(lambda: world.run(*words, check=False).returncode == 0, "no edge is found")
    refused = world.run("drain", SIBLING, check=False)
    assert refused.returncode == 1
    assert "LAST_HEALTHY_REGION" in refused.stderr
    assert states(world, parts) == {PartState.HELD}

    chaos.heal(world.drawn(), HOME)
    list(chaos.wait_until_well(world.drawn(), [HOME]))
    after = status(world).parts
    assert all(after[name].process != before[name].process for name in parts)
    # Each waited for what it needs: nothing was started twice.
    assert [name for name in parts if after[name].restarts > before[name].restarts] == []


@pytest.mark.usefixtures("healed")
def test_the_sibling_serves_a_region_that_is_frozen(world: World) -> None:
    before = status(world).parts
    parts = strike(world, Kind.FREEZE)
    assert {served_by(world, SIBLING) for _ in range(3)} == {SIBLING}
    chaos.heal(world.drawn(), HOME)
    list(chaos.wait_until_well(world.drawn(), [HOME]))
    after = status(world).parts
    assert all(after[name].process == before[name].process for name in parts)


@pytest.mark.usefixtures("healed")
def test_a_region_that_is_cut_off_serves_its_own_clients_and_the_sibling_the_others(
    world: World,
) -> None:
    strike(world, Kind.PARTITION)
    assert {served_by(world, SIBLING) for _ in range(3)} == {SIBLING}
    assert served_by(world, HOME) == HOME


@pytest.mark.usefixtures("healed")
def test_the_sibling_answers_first_where_the_way_to_the_region_is_slow(world: World) -> None:
    strike(world, Kind.SLOW, ms=3_000)
    assert SIBLING in {served_by(world, SIBLING) for _ in range(3)}
    assert served_by(world, HOME) == HOME


@pytest.mark.usefixtures("healed")
def test_a_drained_region_is_asked_no_more(world: World) -> None:
    drained = json.loads(world.run("drain", HOME, "--reason", "a test", "--json").stdout)
    try:
        assert drained["policy"]["drained"] == {HOME: 100}
        for edge in (HOME, SIBLING):
            until(lambda edge=edge: served_by(world, edge) == SIBLING, "it is asked still")  # type: ignore[misc]
    finally:
        world.run("undrain", HOME)
