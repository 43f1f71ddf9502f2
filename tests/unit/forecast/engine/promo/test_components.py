"""Parts add up, exactly, to the forecast."""

import numpy as np

from services.forecast.engine.period import Period
from services.forecast.engine.promo import NAMES, PromoTier, components
from services.forecast.engine.promo.components import TREND, attributed
from tests.unit.forecast.engine.promo.support import planted
from tests.unit.forecast.engine.support import panel, poisson


def test_parts_add_up_to_the_forecast() -> None:
    fit = PromoTier().fits(planted().panel, [100], 8)[0]
    parts = components(fit)
    assert set(parts) == set(NAMES)
    np.testing.assert_allclose(sum(parts.values()), fit.mean, rtol=1e-12)


def test_a_promotion_is_explained_as_one() -> None:
    example = planted()
    fit = PromoTier().fits(example.panel, [100], 8)[0]
    parts = components(fit)
    on = example.known["leaflet"][:, 100:] > 0
    share = parts["promotion"][on].sum() / fit.mean[on].sum()
    assert 0.3 < share < 0.6
    assert abs(parts["promotion"][~on].sum()) < 0.1 * fit.mean[~on].sum()


def test_days_that_are_shut_take_all_of_it_away() -> None:
    units = poisson(40, 120)
    units[:, 5::7] = 0.0
    fit = PromoTier().fits(panel(units, 7, Period.DAY), [120], 7)[0]
    parts = components(fit)
    shut = np.arange(120, 127) % 7 == 5
    assert (parts["availability"][:, shut] < 0).all()
    assert (parts["availability"][:, ~shut] == 0).all()
    np.testing.assert_allclose(sum(parts.values())[:, shut], 0.0, atol=1e-12)


def test_effects_that_cancel_leave_the_level() -> None:
    effects = {TREND: np.zeros((1, 1)), "season": np.array([[0.5]]), "price": np.array([[-0.5]])}
    parts = attributed(np.array([10.0]), np.zeros(1), effects, np.array([True]))
    assert parts["level"].item() == 10.0
    np.testing.assert_allclose(parts["season"] + parts["price"], 0.0)
    np.testing.assert_allclose(parts["season"], 5.0)


def test_effects_beyond_the_limit_are_cut_together() -> None:
    effects = {TREND: np.zeros((1, 1)), "promotion": np.array([[9.0]]), "price": np.array([[3.0]])}
    parts = attributed(np.array([1.0]), np.zeros(1), effects, np.array([True]))
    np.testing.assert_allclose(sum(parts.values()), np.exp(4.0))
    np.testing.assert_allclose(parts["promotion"], 3 * parts["price"])
