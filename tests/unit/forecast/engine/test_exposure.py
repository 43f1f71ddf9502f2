"""Demand behind sales: exact conditional means, nothing of the future, little bias."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy import stats

from season import simulate
from season.presets import season_of
from services.forecast.engine.exposure import mean_given_at_least, uncensor
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period


@pytest.mark.parametrize("size", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("mean", [0.1, 0.8, 6.0])
def test_the_conditional_mean_is_that_of_the_distribution(mean: float, size: float) -> None:
    law = stats.nbinom(size, size / (size + mean))
    counts = np.arange(2000)
    for units in (0, 1, 2, 7):
        tail = law.pmf(counts[units:])
        expected = (counts[units:] * tail).sum() / tail.sum()
        found = mean_given_at_least(np.array([float(units)]), np.array([mean]), size)
        assert found[0] == pytest.approx(expected, rel=1e-6)


def test_sales_far_beyond_the_mean_stay_finite_and_do_not_fall() -> None:
    found = mean_given_at_least(np.array([1e3, 1e5]), np.array([1e-3, 1e-9]), 2.0)
    assert np.isfinite(found).all()
    assert (found >= [1e3, 1e5]).all()


def a_panel(seed: int = 1, days: int = 200, series: int = 60) -> tuple[Panel, np.ndarray]:
    """Shelves that get three units every third day; demand is around 0.9 a day."""
    rng = np.random.default_rng(seed)
    wanted = rng.negative_binomial(2.0, 2.0 / (2.0 + 0.9), (series, days))
    sold, empty = np.zeros((series, days)), np.zeros((series, days), dtype=bool)
    shelf = np.zeros(series, dtype=np.int64)
    for day in range(days):
        shelf = np.maximum(shelf, 2) if day % 3 == 0 else shelf
        sold[:, day] = np.minimum(wanted[:, day], shelf)
        shelf = shelf - sold[:, day].astype(np.int64)
        empty[:, day] = shelf == 0
    dates = Period.DAY.dates(np.datetime64("2026-01-05"), days)
    return Panel(Period.DAY, dates, sold), empty


def test_the_rate_is_that_of_demand_not_of_sales() -> None:
    panel, empty = a_panel()
    assert 0.3 < empty.mean() < 0.7
    found = uncensor(panel, empty)
    assert found.exposure is not None
    recent = slice(60, None)
    rate = np.nansum(found.units * found.exposure, axis=1) / found.exposure.sum(axis=1)
    assert rate.mean() == pytest.approx(0.9, rel=0.06)
    assert panel.units[:, recent].mean() < 0.7
    masked = panel.units[:, recent][~empty[:, recent]]
    assert masked.mean() < 0.5


def test_only_days_with_an_empty_shelf_change() -> None:
    panel, empty = a_panel(days=60)
    found = uncensor(panel, empty)
    assert found.exposure is not None
    assert np.array_equal(found.units[~empty], panel.units[~empty])
    assert (found.units[empty & (panel.units > 0)] > panel.units[empty & (panel.units > 0)]).all()
    assert (found.exposure[empty & (panel.units == 0)] == 0).all()
    assert (found.exposure[~empty] == 1).all()


def test_nothing_is_read_of_what_comes_later() -> None:
    panel, empty = a_panel(days=90)
    whole = uncensor(panel, empty)
    half = uncensor(panel.until(50, 0), empty[:, :50])
    assert np.array_equal(whole.units[:, :50], half.units)


def test_gaps_stay_gaps_and_a_panel_without_sales_stays_finite() -> None:
    units = np.zeros((3, 20))
    units[0, :5] = np.nan
    panel = Panel(Period.WEEK, Period.WEEK.dates(np.datetime64("2026-01-05"), 20), units)
    found = uncensor(panel, np.ones((3, 20), dtype=bool))
    assert np.array_equal(np.isnan(found.units), np.isnan(units))
    assert np.isfinite(found.units[1:]).all()


def test_a_season_with_many_stock_outs_keeps_its_level() -> None:
    config = replace(season_of("atelier-nord", date(2026, 10, 31), seed=4), stock_out_share=0.3)
    truth = simulate(config).truth
    on_sale, empty = truth.on_sale.T, truth.stock_out.T
    sold = np.where(on_sale, truth.sold.T, np.nan)
    dates = Period.DAY.dates(np.datetime64("2025-09-07"), sold.shape[1])
    found = uncensor(Panel(Period.DAY, dates, sold), empty)
    late = np.zeros_like(on_sale)
    late[:, 120:] = True
    seen = on_sale & late & (found.exposure == 1)
    ratio = np.nansum(found.units[seen]) / truth.expected.T[seen].sum()
    assert ratio == pytest.approx(1.0, abs=0.1)
    assert np.nansum(sold[late & on_sale]) / truth.expected.T[late & on_sale].sum() < 0.7
