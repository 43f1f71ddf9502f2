"""The parts of the plain tier: levels, smoothing, lags and weights."""

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.period import Period
from services.forecast.engine.plain import weights
from services.forecast.engine.plain.lags import fit_lags
from services.forecast.engine.plain.levels import levels, slopes
from services.forecast.engine.plain.observed import Observed
from services.forecast.engine.plain.smoothing import COARSE, FINE, smooth
from services.forecast.engine.plain.smoothings import SMOOTHINGS, smoothings
from services.forecast.engine.plain.windows import centred, sums, triangular


def test_a_discounted_level_is_the_ratio_of_discounted_sums() -> None:
    units = np.array([[4.0, 0.0], [0.0, 0.0], [2.0, 3.0]])
    exposed = np.array([[1.0, 0.0], [0.0, 0.0], [0.5, 1.5]])
    found = levels(units, exposed, np.array([0.5, 1.0]))
    assert found == pytest.approx(np.array([[3.0 / 0.75, 2.0], [6.0 / 1.5, 2.0]]))


def test_a_slope_is_found_past_gaps_and_under_a_profile() -> None:
    time = np.arange(40.0)[:, np.newaxis]
    profile = np.where(time % 2 == 0, 0.5, 1.5)
    weight = np.where(time % 7 == 3, 0.0, 1.0)
    units = weight * profile * (10.0 + 0.25 * time)
    assert slopes(units, weight * profile, 0.9) == pytest.approx([0.25])


def _through(values: Floats, ahead: int) -> Floats:
    return smooth(values, np.ones_like(values), np.ones((1, 1)), FINE).forecast(ahead)


def test_smoothing_follows_a_line_and_stays_on_a_constant() -> None:
    line, flat = 5.0 + 2.0 * np.arange(60.0), np.full(60, 7.0)
    found = _through(np.stack([line, flat], axis=1), 3)
    # Trends are damped: a little less than the line's 125, 127, 129.
    assert found[:, 0] == pytest.approx([125.0, 127.0, 129.0], rel=0.02)
    assert found[:, 1] == pytest.approx([7.0, 7.0, 7.0])


def test_smoothing_learns_how_much_of_a_step_stays() -> None:
    draw = np.random.default_rng(1)
    noise = 100.0 + draw.normal(0.0, 10.0, 120)
    walk = 100.0 + np.cumsum(draw.normal(0.0, 10.0, 120))
    noise[-1], walk[-1] = 150.0, walk[-2] + 50.0
    found = _through(np.stack([noise, walk], axis=1), 1)[0]
    assert found[0] < 112.0
    assert found[1] > walk[-1] - 20.0


def test_smoothing_skips_what_was_not_observed() -> None:
    draw = np.random.default_rng(2)
    values = draw.normal(50.0, 5.0, (80, 4))
    weight = np.ones_like(values)
    weight[40:50] = 0.0
    values[40:50] = 1e6
    weight[:5, 1] = 0.0
    found = smooth(values, weight, np.ones((1, 1)), COARSE).forecast(2)
    assert found == pytest.approx(np.full((2, 4), 50.0), rel=0.1)


def test_smoothings_are_the_same_asked_alone_or_together() -> None:
    draw = np.random.default_rng(3)
    units = draw.poisson([8.0, 0.7, 20.0], (40, 3)).astype(np.float64)
    observed, profile = Observed(units, np.ones_like(units)), np.full((43, 1), 1.0)
    together = smoothings(observed, profile, SMOOTHINGS, COARSE)
    for model in SMOOTHINGS:
        alone = smoothings(observed, profile, [model], COARSE)[model]
        assert alone == pytest.approx(together[model], rel=1e-12), model
    assert together["theta"] != pytest.approx(together["smooth"], rel=1e-3)
    assert together["smooth log"][:, 0] != pytest.approx(together["smooth"][:, 0], rel=1e-3)
    assert together["smooth log"][:, 1] == pytest.approx(together["smooth"][:, 1])  # Has zeros.


def test_lags_learn_that_a_good_week_is_paid_back() -> None:
    draw = np.random.default_rng(3)
    base = draw.gamma(4.0, 5.0, 200)
    shock = draw.normal(0.0, 0.3, (80, 200))
    rates = base * np.maximum(1.0 + shock - 0.8 * np.roll(shock, 1, axis=0), 0.0)
    fitted = fit_lags(rates, np.ones_like(rates), 2, Period.WEEK)
    assert fitted is not None
    lifted = rates.copy()
    lifted[-1] *= 2.0
    usual = fitted.forecast(rates, np.ones_like(rates))
    after = fitted.forecast(lifted, np.ones_like(rates))
    assert after[0].mean() < 0.8 * usual[0].mean()


def test_too_few_windows_teach_no_lags() -> None:
    assert fit_lags(np.ones((9, 3)), np.ones((9, 3)), 2, Period.WEEK) is None
    assert fit_lags(np.zeros((60, 300)), np.ones((60, 300)), 2, Period.WEEK) is None


def test_weights_find_the_mixture_with_the_least_error() -> None:
    draw = np.random.default_rng(4)
    first, second = draw.normal(0.0, 1.0, (2, 40, 500))
    errors = np.stack([first, second, 3.0 + 0.0 * first])
    gram = weights.products(errors, np.ones(500))
    kept, found = weights.select(gram)
    # Independent errors weigh as one over their mean squares: 1, 1 and 1/9.
    assert kept.tolist() == [0, 1, 2]
    assert found == pytest.approx([9 / 19, 9 / 19, 1 / 19], abs=0.01)


def test_a_series_with_errors_of_its_own_departs_from_the_panel() -> None:
    draw = np.random.default_rng(5)
    errors = draw.normal(0.0, 1.0, (2, 400, 50))
    errors[1, :, 0] *= 10.0
    gram = weights.products(errors[:, :, 1:], np.ones(49))
    start = np.array([0.5, 0.5])
    found = weights.each(errors, np.ones((400, 50), dtype=np.bool_), gram, start)
    assert found[0, 0] > 0.7
    assert found[1:].mean(axis=0) == pytest.approx(start, abs=0.05)
    few = weights.each(errors[:, :4], np.ones((4, 50), dtype=np.bool_), gram, start)
    assert few[0, 0] < found[0, 0]


def test_a_cap_holds_large_orders_to_a_multiple_of_the_usual() -> None:
    units = np.array([[2.0], [0.0], [2.0], [26.0]])
    held = Observed(units, np.ones_like(units)).capped(2.0, np.ones((4, 1)))
    assert held.units[:, 0] == pytest.approx([2.0, 0.0, 2.0, 20.0])


def test_windows_are_sums_around_each_period() -> None:
    values = np.arange(1.0, 9.0)[:, np.newaxis]
    assert sums(values, 1, 2)[3, 0] == pytest.approx(3 + 4 + 5 + 6)
    assert sums(values, 1, 2)[0, 0] == pytest.approx(1 + 2 + 3)
    assert centred(values, 4)[3, 0] == pytest.approx(0.5 * 2 + 3 + 4 + 5 + 0.5 * 6)
    assert centred(values, 3)[3, 0] == pytest.approx(3 + 4 + 5)
    assert triangular(np.ones((9, 1)), 2)[4, 0] == pytest.approx(9.0)
    assert triangular(values, 0) is values
