"""The ledger's rules, as properties."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import RequestIdReused
from services.inventory.domain import (
    MOST_DELTA_UNITS,
    MOST_LEVEL_UNITS,
    InsufficientStock,
    Level,
    LevelLimit,
    Movement,
    Posting,
    Reason,
    Sku,
    StoreId,
    answer_again,
    post,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DELTAS = st.integers(-MOST_DELTA_UNITS, MOST_DELTA_UNITS).filter(bool)
ON_HAND = st.one_of(
    st.integers(0, MOST_LEVEL_UNITS),
    st.integers(MOST_LEVEL_UNITS - MOST_DELTA_UNITS, MOST_LEVEL_UNITS),
)
LEVELS = st.builds(Level, ON_HAND, st.integers(0, 2**40))
MOVEMENTS = st.builds(
    Movement,
    request_id=st.uuids(),
    store=st.just(StoreId("berlin")),
    sku=st.just(Sku("SHIRT-M")),
    delta_units=DELTAS,
    reason=st.sampled_from(Reason),
    occur_time=st.datetimes(timezones=st.just(UTC)),
    occur_nanos=st.integers(0, 999),
)


@given(MOVEMENTS, LEVELS)
def test_a_posting_adds_the_movement_to_the_level_or_is_refused(
    movement: Movement, level: Level
) -> None:
    total = level.on_hand_units + movement.delta_units
    if total < 0:
        with pytest.raises(InsufficientStock) as short:
            post(movement, level=level, now=NOW)
        assert short.value.metadata["on_hand_units"] == str(level.on_hand_units)
    elif total > MOST_LEVEL_UNITS:
        with pytest.raises(LevelLimit):
            post(movement, level=level, now=NOW)
    else:
        posting = post(movement, level=level, now=NOW)
        assert posting == Posting(movement, total, level.sequence + 1, NOW)


@given(MOVEMENTS)
def test_stock_may_fall_to_zero_exactly(movement: Movement) -> None:
    taken = replace(movement, delta_units=-abs(movement.delta_units))
    level = Level(abs(movement.delta_units), 1)
    assert post(taken, level=level, now=NOW).on_hand_units == 0


def test_stock_may_rise_to_the_limit_exactly() -> None:
    movement = Movement(uuid4(), StoreId("a"), Sku("A"), 1, Reason.COUNT, NOW)
    level = Level(MOST_LEVEL_UNITS - 1, 1)
    assert post(movement, level=level, now=NOW).on_hand_units == MOST_LEVEL_UNITS
    with pytest.raises(LevelLimit):
        post(movement, level=Level(MOST_LEVEL_UNITS, 1), now=NOW)


@given(MOVEMENTS, MOVEMENTS, LEVELS)
def test_only_the_same_movement_is_answered_again(
    movement: Movement, other: Movement, level: Level
) -> None:
    earlier = Posting(movement, level.on_hand_units, level.sequence + 1, NOW)
    assert answer_again(earlier, replace(movement)) is earlier
    for changed in (
        replace(other, request_id=movement.request_id),
        replace(movement, occur_nanos=(movement.occur_nanos + 1) % 1000),
        replace(movement, occur_time=NOW + timedelta(days=9000)),
        replace(movement, delta_units=-movement.delta_units),
    ):
        if changed != movement:
            with pytest.raises(RequestIdReused):
                answer_again(earlier, changed)
