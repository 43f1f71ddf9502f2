"""The tier as a whole: what it gains, what it never does, what it bears."""

from dataclasses import replace

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.calendar_events import LOOK_BACK
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import Calendar, PromoTier, from_arrays, state_of
from services.forecast.engine.promo.history import read
from services.forecast.engine.retail_calendar import RetailCalendar
from tests.unit.forecast.engine.promo.support import Planted, planted
from tests.unit.forecast.engine.support import panel, poisson

AHEAD = 8


def error(mean: Floats | float, truth: Floats | float) -> float:
    return float(np.sum(np.abs(mean - truth)) / np.sum(truth))


@pytest.fixture(scope="module")
def example() -> Planted:
    return planted()


@pytest.fixture(scope="module")
def truth(example: Planted) -> Floats:
    return example.expected[:, -AHEAD:]


@pytest.fixture(scope="module")
def known(example: Planted, truth: Floats) -> float:
    """The error with the plan known."""
    return error(PromoTier().run(example.panel, [example.panel.periods], AHEAD)[0], truth)


def test_a_known_plan_takes_most_of_the_error_away(
    example: Planted, truth: Floats, known: float
) -> None:
    blind = replace(example.panel, known={})
    unknown = error(PromoTier().run(blind, [blind.periods], AHEAD)[0], truth)
    assert known < 0.12
    assert unknown > 2 * known


def test_useless_columns_hardly_hurt(example: Planted, truth: Floats, known: float) -> None:
    random = np.random.default_rng(3)
    shape = example.expected.shape
    ends = random.normal(size=shape)
    ends[:, -AHEAD:] = np.nan
    useless = {
        "noise": random.normal(size=shape),
        "flag": (random.random(shape) < 0.1) * 1.0,
        "codes": random.integers(0, 5, shape) * 1.0,
        "constant": np.ones(shape),
        "unknown_ahead": ends,
    }
    whole = replace(example.panel, known={**example.panel.known, **useless})
    found = error(PromoTier().run(whole, [whole.periods], AHEAD)[0], truth)
    assert found < 1.15 * known + 0.005


def test_nothing_after_an_origin_is_read(example: Planted) -> None:
    random = np.random.default_rng(4)
    origin = 70
    units = example.panel.units.copy()
    units[:, origin:] = random.poisson(500, units[:, origin:].shape)
    later = {name: values.copy() for name, values in example.panel.known.items()}
    for values in later.values():
        values[:, origin + AHEAD :] *= 1.5
    changed = replace(example.panel, units=units, known=later)
    alone = PromoTier().run(example.panel.until(origin, AHEAD), [origin], AHEAD)[0]
    among = PromoTier().run(example.panel, [origin, 92, 100], AHEAD)[0]
    planted_leak = PromoTier().run(changed, [origin, 92, 100], AHEAD)[0]
    np.testing.assert_array_equal(among, planted_leak)
    np.testing.assert_allclose(among, alone, rtol=1e-4)


def test_the_same_panel_is_forecast_the_same(example: Planted) -> None:
    first, again = (PromoTier().run(example.panel, [92, 100], AHEAD) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_stock_outs_that_are_known_do_not_lower_the_forecast() -> None:
    random = np.random.default_rng(6)
    shelf = (random.random((50, 90)) > 0.3).astype(np.float64)
    units = random.poisson(10.0, (50, 90)) * shelf
    whole = panel(units, 4, exposure=shelf)
    assert PromoTier().run(whole, [90], 4)[0].mean() == pytest.approx(10.0, rel=0.05)


def test_days_of_the_week_on_which_all_are_shut_sell_nothing() -> None:
    units = poisson(40, 120)
    units[:, 5::7] = 0.0
    mean = PromoTier().run(panel(units, 14, Period.DAY), [120], 14)[0]
    shut = np.arange(120, 134) % 7 == 5
    assert (mean[:, shut] == 0).all()
    seen = read(panel(units, 14, Period.DAY)).exposure.mean(axis=0)[LOOK_BACK:]
    assert (seen == (np.arange(LOOK_BACK, 120) % 7 != 5)).all()  # No demand was refused there.
    assert (mean[:, ~shut] > 0).all()


def test_a_season_of_the_year_is_carried_on() -> None:
    months = np.arange(60)
    season = np.exp(0.6 * np.cos(2 * np.pi * months / 12))
    units = np.random.default_rng(1).poisson(40 * season, (30, 60)).astype(np.float64)
    mean = PromoTier().run(panel(units[:, :48], 12, Period.MONTH), [48], 12)[0]
    assert error(mean, np.tile(40 * season[48:], (30, 1))) < 0.1


@pytest.mark.parametrize("period", list(Period))
@pytest.mark.parametrize(
    "units",
    [
        np.array([[3.0]]),
        np.zeros((1, 30)),
        np.full((2, 20), np.nan),
        np.array([[np.nan] * 19 + [4.0], [1.0, 2.0] * 10]),
        np.full((3, 40), 7.0),
        np.random.default_rng(1).lognormal(8, 3, (5, 60)),
        np.random.default_rng(1).poisson(0.02, (20, 50)).astype(np.float64),
    ],
    ids=["one period", "zeros", "nothing", "just begun", "constant", "wild", "rare"],
)
def test_every_panel_is_forecast(units: Floats, period: Period) -> None:
    shape = (units.shape[0], units.shape[1] + 5)
    columns = {"price": np.random.default_rng(2).uniform(1, 2, shape)}
    whole: Panel = panel(
        units, 5, period, known=columns, static={"store": np.zeros(len(units), int)}
    )
    for origins in ([units.shape[1]], sorted({1, units.shape[1]})):
        for mean in PromoTier().run(whole, origins, 5):
            assert mean.shape == (len(units), 5)
            assert np.isfinite(mean).all()
            assert (mean >= 0).all()


def test_a_series_that_never_sold_is_forecast_to_sell_nothing() -> None:
    units = poisson(10, 60)
    units[3] = 0.0
    assert (PromoTier().run(panel(units, 4), [60], 4)[0][3] == 0).all()


def test_the_retailer_s_own_months_may_be_given() -> None:
    tier = PromoTier(Calendar(retail=RetailCalendar()))
    fit = tier.fits(panel(poisson(10, 60), 4), [60], 4)[0]
    assert "retail_month" in fit.feature_names
    assert np.isfinite(fit.mean).all()


def test_regressors_are_those_of_the_fit(example: Planted) -> None:
    fit = PromoTier().fits(example.panel, [100], AHEAD)[0]
    rows = np.array([3, 7])
    x = fit.features(rows)
    assert x.shape == (2, len(fit.feature_names), 100 + AHEAD)
    logs = (fit.coefficients[rows][:, np.newaxis] @ x)[:, 0]
    np.testing.assert_allclose(logs, fit.log_multiplier[rows], atol=1e-5)


def test_a_shop_that_is_planned_to_be_closed_sells_nothing() -> None:
    random = np.random.default_rng(7)
    opened = (random.random((30, 134)) > 0.15).astype(np.float64)
    units = poisson(30, 120) * opened[:, :120]
    whole = panel(units, 14, Period.DAY, known={"Open": opened})
    fit = PromoTier().fits(whole, [120], 14)[0]
    closed = opened[:, 120:] == 0
    assert (fit.mean[closed] == 0).all()
    assert error(fit.mean[~closed].mean(), units[:, :120][opened[:, :120] > 0].mean()) < 0.05
    state = from_arrays(state_of(fit).arrays())
    row = int(closed.any(axis=1).argmax())
    np.testing.assert_allclose(state.means(row, {}), fit.mean[row], rtol=1e-5)
    assert (state.means(row, {"Open": np.ones(14)}) > 0).all()


def test_a_flag_under_which_less_is_sold_closes_nothing() -> None:
    random = np.random.default_rng(8)
    flag = (random.random((30, 128)) < 0.2).astype(np.float64)
    units = random.poisson(8.0 * np.where(flag[:, :120] > 0, 0.1, 1.0)).astype(np.float64)
    fit = PromoTier().fits(panel(units, 8, known={"quiet": flag}), [120], 8)[0]
    assert fit.open.all()
    assert (fit.mean > 0).all()
