import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.forecast import daily
from services.forecast.daily import Outcome
from services.forecast.history import (
    History,
    pack_history,
    pack_outcome,
    unpack_history,
    unpack_outcome,
)
from services.forecast.panel import Panel
from tests.unit.forecast.support import MONDAY, panel, panels, poisson


def forecast(history: Panel, horizon: int = 28) -> Outcome:
    return daily.forecast(history, np.arange(history.units.shape[1]), horizon)


@settings(max_examples=150, deadline=None)
@given(history=panels(), horizon=st.integers(1, 91))
def test_forecasts_are_finite_not_negative_and_ordered(history: Panel, horizon: int) -> None:
    outcome = forecast(history, horizon)
    series = history.units.shape[1]
    assert outcome.mean.shape == (horizon, series)
    assert outcome.quantiles.shape == (3, horizon, series)
    assert np.isfinite(outcome.mean).all()
    assert (outcome.mean >= 0).all()
    assert np.isfinite(outcome.quantiles).all()
    assert (outcome.quantiles[0] >= 0).all()
    assert (np.diff(outcome.quantiles, axis=0) >= 0).all()
    assert np.isfinite(outcome.trends.growth_p10).all()
    assert (outcome.trends.growth_p10 <= outcome.trends.growth).all()


@settings(max_examples=60, deadline=None)
@given(history=panels(), cut=st.integers(1, 70), noise=st.integers(1, 10**6))
def test_what_comes_after_the_cutoff_changes_nothing(history: Panel, cut: int, noise: int) -> None:
    days = min(cut, history.days)
    seen = forecast(history.until(days))
    changed = history.units.copy()
    changed[days:] = (changed[days:] + 1) * noise
    again = forecast(panel(changed, history.stores.tolist(), history.first_date).until(days))
    assert np.array_equal(seen.mean, again.mean)
    assert np.array_equal(seen.quantiles, again.quantiles)


def test_every_origin_of_the_backtest_sees_its_own_past_alone() -> None:
    units = poisson(np.full(30, 3.0), days=140)
    changed = units.copy()
    changed[-28:] *= 50  # The newest held-back days.
    for rows in (slice(-56, -28), slice(-84, -56)):
        before, after = (_held(each, rows) for each in (units, changed))
        assert np.array_equal(before, after)


def _held(units: np.ndarray, rows: slice) -> np.ndarray:
    from services.forecast import backtest

    helds = backtest.run(panel(units), 28)
    found = next(each for each in helds if np.array_equal(each.actual, units[rows]))
    return found.mean


def test_the_score_of_the_newest_origin_is_calibrated_on_older_ones_alone() -> None:
    steady = poisson(np.full(60, 9.0), days=168)
    wild = steady.copy()
    wild[-28:] = poisson(np.full(60, 9.0), days=28, seed=3) * 5
    # Had the intervals seen the wild month, they would be wide enough to cover it.
    assert forecast(panel(wild)).score.coverage < 0.5
    assert forecast(panel(steady)).score.coverage > 0.7


def test_the_same_history_gives_the_same_forecast() -> None:
    history = panel(poisson(np.array([0.2, 2.0, 20.0]), days=100))
    first, again = forecast(history), forecast(history)
    assert np.array_equal(first.mean, again.mean)
    assert np.array_equal(first.quantiles, again.quantiles)


def test_a_series_that_never_sold_is_forecast_not_to() -> None:
    units = poisson(np.array([0.0, 5.0]), days=90)
    outcome = forecast(panel(units))
    assert outcome.mean[:, 0].max() == 0
    assert outcome.quantiles[:, :, 0].max() == 0
    assert outcome.mean[:, 1].min() > 0


def test_a_panel_without_any_sale_has_no_score_and_no_trends() -> None:
    outcome = forecast(panel(np.zeros((200, 3))))
    assert outcome.mean.max() == 0
    assert np.isnan(outcome.score.wape)
    assert outcome.trends.product.size == 0


def test_one_day_of_history_is_enough_for_a_forecast_but_not_for_a_score() -> None:
    outcome = forecast(panel(np.array([[3.0, 0.0]])))
    assert 0 < outcome.mean[0, 0] < 3
    assert outcome.quantiles[2, 0, 0] > 0
    assert np.isnan(outcome.score.coverage)
    assert np.isnan(outcome.score.wape)


def test_a_series_one_day_old_borrows_from_the_others() -> None:
    units = poisson(np.full(40, 0.3), days=120)
    units = np.column_stack([units, np.zeros(120)])
    units[-1, -1] = 1.0
    mean = forecast(panel(units)).mean[:, -1]
    assert mean.max() < 0.6  # The first sale alone would say 1 a day.


def test_closed_weekdays_are_forecast_to_sell_nothing() -> None:
    units = poisson(np.full(10, 2.0), days=140)
    weekdays = panel(units).weekdays(0, 140)
    units[weekdays == 6] = 0
    outcome = forecast(panel(units))
    closed = panel(units).weekdays(140, 168) == 6
    assert outcome.mean[closed].max() == 0
    assert outcome.quantiles[:, closed].max() == 0
    assert outcome.mean[~closed].min() > 1


@pytest.mark.parametrize("mean", [5.0, 20.0, 80.0])
def test_intervals_of_poisson_sales_cover_four_days_of_five(mean: float) -> None:
    days, horizon = 280, 28
    units = poisson(np.full(200, mean), days + horizon)
    outcome = forecast(panel(units[:days]), horizon)
    low, _, high = outcome.quantiles
    covered = (units[days:] >= low) & (units[days:] <= high)
    assert covered.mean() == pytest.approx(0.8, abs=0.04)
    assert outcome.score.coverage == pytest.approx(0.8, abs=0.05)


def test_intervals_of_mixed_overdispersed_sales_cover_what_they_say() -> None:
    random = np.random.default_rng(5)
    means = np.exp(random.normal(2.5, 0.8, 300))
    rates = random.gamma(2.0, means / 2.0, (308, 300))
    units = random.poisson(rates).astype(np.float64)
    outcome = forecast(panel(units[:280]), 28)
    low, middle, high = outcome.quantiles
    future = units[280:]
    assert ((future >= low) & (future <= high)).mean() == pytest.approx(0.8, abs=0.04)
    assert (future <= middle).mean() == pytest.approx(0.5, abs=0.06)


def test_arrays_cross_to_the_worker_and_back_unchanged() -> None:
    numbers = np.arange(3)
    history = History(MONDAY, 9, numbers, numbers, numbers, numbers, numbers + 5)
    back, horizon = unpack_history(pack_history(history, 7))
    assert horizon == 7
    assert back.panel().units.tolist() == history.panel().units.tolist()
    outcome = forecast(panel(poisson(np.full(3, 4.0), days=80)))
    result = unpack_outcome(pack_outcome(outcome))
    assert np.array_equal(result.quantiles, outcome.quantiles)
    assert (result.coverage, result.wape) == (outcome.score.coverage, outcome.score.wape)
    assert result.trends.recent_units.tolist() == outcome.trends.recent_units.tolist()
