"""Popularity: rates where and while things could be bought, ranked by what is sure."""

import numpy as np
import pytest

from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.popularity import popularity


def panel(units: np.ndarray, exposure: np.ndarray | None = None) -> Panel:
    dates = Period.WEEK.dates(np.datetime64("2026-01-05"), units.shape[1])
    return Panel(Period.WEEK, dates, units.astype(np.float64), exposure=exposure)


def sales(rates: list[float], weeks: int = 26, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(np.array(rates)[:, np.newaxis], (len(rates), weeks)).astype(np.float64)


def test_nothing_is_a_best_seller_on_six_units() -> None:
    units = sales([10.0, 8.0, 6.0, 5.0, 9.0, 1.0])
    units[5] = np.nan
    units[5, -1] = 14  # One lucky week.
    found = popularity(panel(units), np.arange(6))
    assert found.order[0] == 0
    assert found.order.tolist().index(5) > 1
    assert found.lower[5] < found.rate[5]


def test_an_empty_shelf_does_not_make_unpopular() -> None:
    units = sales([10.0, 6.0, 6.0, 6.0], weeks=40)
    exposure = np.ones_like(units)
    units[0, ::2] = exposure[0, ::2] = 0
    assert popularity(panel(units), np.arange(4)).order[0] != 0
    assert popularity(panel(units, exposure), np.arange(4)).order[0] == 0


def test_a_large_store_does_not_make_popular() -> None:
    # Items 0 and 1 are sold in store 0, which sells five times as much; 1 and 2 in store 1.
    units = sales([20.0, 30.0, 6.0, 8.0], weeks=60)
    items, places = np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1])
    found = popularity(panel(units), items, places)
    assert found.order.tolist() == [2, 1, 0]
    assert popularity(panel(units), items).order[0] == 1


def test_what_sold_long_ago_counts_little() -> None:
    units = np.vstack([sales([20.0], 52), sales([8.0], 52), sales([8.0], 52)])
    units[0, 26:] = 2
    assert popularity(panel(units), np.arange(3)).order[-1] == 0


def test_sizes_of_an_item_count_as_one() -> None:
    rates = [4.0, 4.0, 8.0, 2.0, 2.0]
    found = popularity(panel(sales(rates, 80)), np.array([0, 0, 1, 2, 2]))
    assert found.rate[0] == pytest.approx(found.rate[1], rel=0.15)
    assert found.rate[2] < found.rate[0]


def test_left_out_rows_are_left_out_and_nothing_sold_is_no_error() -> None:
    found = popularity(panel(np.zeros((3, 10))), np.array([0, -1, 1]))
    assert found.rate.shape == (2,)
    assert np.isfinite(found.lower).all()
    assert popularity(panel(np.zeros((1, 1))), np.array([-1])).order.size == 0
