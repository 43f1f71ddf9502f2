from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from services.forecast.domain.plans import Event, Promotion
from services.forecast.engine.period import Period
from services.forecast.panels.grid import Grid
from services.forecast.panels.known import MOST_KINDS, Rows, calendar, prices, promoted

MONDAY = date(2026, 3, 2)
DAYS = Grid(Period.DAY, MONDAY, 6, 4)
WEEKS = Grid(Period.WEEK, MONDAY, 2, 2)
# Rows: (berlin, A), (berlin, B), (paris, A). A and B are of the styles shirt and coat.
ROWS = Rows(
    {
        "store": np.array([0, 0, 1]),
        "sku": np.array([0, 1, 0]),
        "product": np.array([0, 1, 0]),
        "style": np.array([1, 0, 1]),
    },
    {
        "store": ("berlin", "paris"),
        "sku": ("A", "B"),
        "product": ("pa", "pb"),
        "style": ("coat", "shirt"),
    },
)


def promotion(start: int, end: int, **changed: Any) -> Promotion:
    good = {
        "promotion": "spring",
        "store": "-",
        "scope": "style",
        "target": "shirt",
        "start_date": MONDAY + timedelta(days=start),
        "end_date": MONDAY + timedelta(days=end),
        "kind": "markdown",
        "discount_share": 0.5,
        "price_micros": None,
        "known_time": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Promotion(**(good | changed))


def event(start: int, end: int, **changed: Any) -> Event:
    good = {
        "event": "fair",
        "store": "-",
        "start_date": MONDAY + timedelta(days=start),
        "end_date": MONDAY + timedelta(days=end),
        "closed": False,
        "known_time": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Event(**(good | changed))


@pytest.mark.parametrize(
    ("changed", "rows"),
    [
        ({}, [0, 2]),
        ({"store": "paris"}, [2]),
        ({"scope": "sku", "target": "B"}, [1]),
        ({"scope": "product", "target": "pa", "store": "berlin"}, [0]),
        ({"scope": "all", "target": ""}, [0, 1, 2]),
        ({"scope": "all", "target": "", "store": "berlin"}, [0, 1]),
        ({"target": "hat"}, []),
        ({"scope": "fabric"}, []),
        ({"store": "rome"}, []),
    ],
)
def test_a_promotion_reaches_the_rows_of_its_target(
    changed: dict[str, str], rows: list[int]
) -> None:
    plan = promoted([promotion(1, 2, **changed)], ROWS, DAYS)
    assert np.flatnonzero(plan.on.any(axis=1)).tolist() == rows
    if rows:
        found = plan.columns["promotion_markdown"][rows[0]]
        assert found.tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0]
        assert plan.columns["discount_markdown"][rows[0]].max() == 0.5
    else:
        assert plan.columns == {}


def test_a_part_of_a_week_counts_by_its_days_and_the_future_counts() -> None:
    plan = promoted([promotion(12, 15)], ROWS, WEEKS)
    np.testing.assert_allclose(plan.columns["promotion_markdown"][0], [0, 2 / 7, 2 / 7, 0])
    np.testing.assert_allclose(plan.columns["discount_markdown"][0], [0, 1 / 7, 1 / 7, 0])


def test_of_several_promotions_the_deepest_counts() -> None:
    both = [promotion(0, 5, discount_share=0.2), promotion(2, 3, promotion="b")]
    plan = promoted(both, ROWS, DAYS)
    np.testing.assert_allclose(plan.off[0][:7], [0.2, 0.2, 0.5, 0.5, 0.2, 0.2, 0])


def test_rare_kinds_share_a_column() -> None:
    many = [promotion(0, 1, kind=f"k{at:02d}") for at in range(20)] * 2 + [promotion(0, 1)] * 5
    plan = promoted(many, ROWS, DAYS)
    kinds = {name for name in plan.columns if name.startswith("promotion_")}
    assert len(kinds) == MOST_KINDS
    assert {"promotion_markdown", "promotion_other"} <= kinds


def paid(*rows: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """One unit at each price; 0 where nothing sold."""
    revenue = np.array(rows, dtype=float)
    return (revenue > 0).astype(float), revenue


def test_prices_are_what_was_paid_then_what_is_planned() -> None:
    nothing = [0.0] * 6
    units, revenue = paid([10, 0, 5, 0, 10, 0], nothing, nothing)
    plan = promoted([promotion(2, 3), promotion(8, 8)], ROWS, DAYS)
    found = prices(units, revenue, ROWS.codes["sku"], plan)
    np.testing.assert_allclose(found["price"][0], [10, 10, 5, 5, 10, 10, 10, 10, 5, 10])
    np.testing.assert_allclose(found["regular_price"][0], [10.0] * 10)
    # The same SKU in another store; and an SKU that nobody ever paid for.
    np.testing.assert_allclose(found["price"][2], found["price"][0])
    assert np.isnan(found["price"][1]).all()


def test_a_price_that_is_set_holds_on_its_days() -> None:
    units, revenue = paid([10] * 6, [8] * 6, [10] * 6)
    plan = promoted([promotion(7, 7, discount_share=0.0, price_micros=3_000_000)], ROWS, DAYS)
    found = prices(units, revenue, ROWS.codes["sku"], plan)
    np.testing.assert_allclose(found["price"][0][6:], [10, 3, 10, 10])
    np.testing.assert_allclose(found["price"][1][6:], [8, 8, 8, 8])
    assert "discount_markdown" not in plan.columns


def test_what_begins_in_a_promotion_has_the_regular_price_behind_it() -> None:
    units, revenue = paid([5, 0, 0, 0, 0, 0], [0] * 6, [0] * 6)
    found = prices(units, revenue, ROWS.codes["sku"], promoted([promotion(0, 1)], ROWS, DAYS))
    np.testing.assert_allclose(found["price"][0], [5, 5, *[10.0] * 8])


def test_a_price_next_to_the_regular_one_does_not_tell_of_a_sale() -> None:
    units, revenue = paid([10, 0, 9.9, 10.15, 0, 9], [0] * 6, [0] * 6)
    found = prices(units, revenue, ROWS.codes["sku"], promoted([], ROWS, DAYS))
    np.testing.assert_allclose(found["price"][0], [*[10] * 5, *[9] * 5])


def test_without_any_price_there_is_no_column() -> None:
    units = np.ones((3, 6))
    assert prices(units, np.zeros((3, 6)), ROWS.codes["sku"], promoted([], ROWS, DAYS)) == {}


def test_events_and_closed_days_reach_their_stores() -> None:
    found = calendar(
        [event(1, 1), event(7, 8, closed=True, store="paris", event="sunday")], ROWS, DAYS
    )
    assert set(found) == {"event_fair", "closed"}
    assert found["event_fair"].shape == (3, 10)
    assert found["event_fair"].sum(axis=1).tolist() == [1, 1, 1]
    assert found["closed"].sum(axis=1).tolist() == [0, 0, 2]


def test_closed_days_of_a_week_add_up() -> None:
    days = [event(6, 6, closed=True), event(5, 5, closed=True), event(13, 13, closed=True)]
    np.testing.assert_allclose(calendar(days, ROWS, WEEKS)["closed"][0], [2 / 7, 1 / 7, 0, 0])


def test_an_event_of_a_store_that_sells_nothing_is_nothing() -> None:
    assert calendar([event(1, 1, store="rome")], ROWS, DAYS) == {}
