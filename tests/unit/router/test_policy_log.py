"""Every router comes to the same policy from the same changes, in whatever order they arrive."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router import policy as rules
from services.router.policy import PERCENT, Mode, Policy
from services.router.policy_log import Change, History, Registers, from_json, merge, to_json
from tests.unit.router.test_policy import REGIONS, four_regions

FOUR = four_regions()
REGION = st.sampled_from(REGIONS)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

REGISTERS = st.builds(
    Registers,
    drained=st.dictionaries(REGION, st.sampled_from([0, 1, 50, 100]), max_size=2),
    mode=st.none() | st.sampled_from([Mode.FAILOVER, Mode.LATENCY, Mode.GEOLOCATION]),
    tracks=st.dictionaries(
        st.sampled_from(["inventory", "forecast"]),
        st.sampled_from([{}, {"stable": 100}, {"stable": 90, "canary": 10}]),
    ),
    home_epoch_floor=st.integers(0, 5),
)


def change(
    version: int, region: str, registers: Registers, request_id: UUID | None = None
) -> Change:
    made = request_id or uuid4()
    return Change(version, region, made, b"", NOW, "someone", "does", "because", registers)


@st.composite
def logs(draw: st.DrawFn) -> list[Change]:
    found = draw(st.lists(st.tuples(st.integers(1, 6), REGION, st.uuids(), REGISTERS), max_size=12))
    return [change(version, region, registers, made) for version, region, made, registers in found]


@given(logs(), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(log: list[Change], random: object) -> None:
    merged = merge(FOUR, "EU", log)
    shuffled = [*log, *log[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    unique = {each.key: each for each in shuffled}
    again = merge(FOUR, "EU", unique.values())
    assert again == merged
    assert again.etag == merged.etag


@given(logs(), st.randoms(use_true_random=False))
def test_a_history_says_what_held_after_each_change_however_it_came(
    log: list[Change], random: object
) -> None:
    ordered = sorted({each.key: each for each in log}.values(), key=lambda each: each.key)
    arriving = list(ordered)
    random.shuffle(arriving)  # type: ignore[attr-defined]
    history = History(FOUR, "EU")
    for each in arriving:
        joined = history.joined([each])
        history.add([each, *arriving[:1]])
        assert joined.merged == history.merged
    assert history.changes == ordered[::-1]
    for count, each in enumerate(ordered, start=1):
        assert history.after(each.key) == merge(FOUR, "EU", ordered[:count])


@given(logs())
def test_whatever_is_drained_somebody_serves_every_home(log: list[Change]) -> None:
    merged = merge(FOUR, "EU", log)
    assert rules.stranded(FOUR, "EU", merged.policy.drained) == ()
    assert all(0 < percent <= PERCENT for percent in merged.policy.drained.values())
    assert merged.version == max((each.version for each in log), default=0)


@given(logs())
def test_the_floor_is_the_highest_that_holds(log: list[Change]) -> None:
    merged = merge(FOUR, "EU", log)
    held = [each.registers.home_epoch_floor for each in log if each.key not in merged.ignored]
    assert merged.policy.home_epoch_floor == max(held, default=0)


@given(REGISTERS)
def test_what_is_kept_is_read_back(registers: Registers) -> None:
    assert from_json(to_json(registers)) == registers


def test_the_last_change_of_each_register_wins() -> None:
    tracks = {"inventory": {"stable": 90, "canary": 10}}
    log = [
        change(1, "eu-a-1", Registers(drained={"eu-a-1": 10}, tracks=tracks)),
        change(2, "eu-b-1", Registers(drained={"eu-b-1": 20})),
        change(2, "eu-c-1", Registers(drained={"eu-a-1": 0}, mode=Mode.LATENCY)),
        change(1, "eu-d-1", Registers(mode=Mode.GEOLOCATION)),
    ]
    merged = merge(FOUR, "EU", log)
    assert merged.policy == Policy(Mode.LATENCY, {}, {"eu-b-1": 20}, tracks)
    assert merge(FOUR, "EU", log[:2]).etag != merged.etag


def test_of_drains_that_leave_nobody_the_newest_is_ignored_for_good() -> None:
    log = [change(1, region, Registers(drained={region: 100})) for region in REGIONS]
    merged = merge(FOUR, "EU", log)
    assert merged.policy.drained == dict.fromkeys(REGIONS[:3], 100)
    assert merged.ignored == {log[3].key}
    # Somebody comes back: what was ignored does not take its turn then.
    back = change(2, "eu-a-1", Registers(drained={"eu-a-1": 0}))
    later = merge(FOUR, "EU", [*log, back])
    assert later.policy.drained == dict.fromkeys(REGIONS[1:3], 100)


def test_what_a_topology_no_longer_knows_is_left_out() -> None:
    log = [
        change(1, "eu-a-1", Registers(mode=Mode.LATENCY)),
        change(2, "eu-a-1", Registers(drained={"eu-gone-1": 100, "eu-a-1": 5})),
        change(3, "eu-a-1", Registers(mode=Mode.WEIGHTED, weights={"eu-gone-1": 100})),
    ]
    policy = merge(FOUR, "EU", log).policy
    assert (policy.mode, policy.drained) == (Mode.LATENCY, {"eu-a-1": 5})


def test_a_floor_that_no_token_reaches_is_ignored() -> None:
    """It would refuse every token, for good, and may stand in logs that are older than the rule."""
    log = [
        change(1, "eu-a-1", Registers(home_epoch_floor=7)),
        change(2, "eu-a-1", Registers(home_epoch_floor=rules.HIGHEST_EPOCH)),
    ]
    assert merge(FOUR, "EU", log).policy.home_epoch_floor == 7


def test_unknown_names_of_a_newer_router_are_left() -> None:
    assert from_json({"mode": "tidal", "colour": "blue", "drained": {"x": 1}}) == Registers(
        {"x": 1}
    )


def test_nothing_set_is_what_the_topology_says() -> None:
    weights = dict(zip(REGIONS, (70, 30, 0, 0), strict=True))
    steered = four_regions(traffic={"mode": "weighted", "weights": weights})
    merged = merge(steered, "EU", ())
    assert merged.policy == Policy(Mode.WEIGHTED, weights)
    assert merged.version == 0
    assert merged.etag != replace(merged, version=1).etag


@pytest.mark.parametrize("drained", [{}, {"eu-a-1": 0}])
def test_an_undrained_region_is_not_named(drained: dict[str, int]) -> None:
    log = [change(1, "eu-a-1", Registers(drained=drained))]
    assert merge(FOUR, "EU", log).policy.drained == {}
