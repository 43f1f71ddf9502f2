"""Levels know what could have sold, and how far a trend may carry."""

import numpy as np
import pytest

from services.forecast.engine.promo.levels import Past, Trend, begun, carried, growth, levels


def past(units: np.ndarray, exposure: np.ndarray | None = None) -> Past:
    offered = np.ones(units.shape) if exposure is None else exposure
    return Past(units, offered, np.zeros(units.shape))


def test_stock_outs_do_not_read_as_no_demand() -> None:
    random = np.random.default_rng(1)
    exposure = (random.random((200, 60)) > 0.3).astype(np.float64)
    units = random.poisson(8.0, (200, 60)) * exposure
    told = levels(past(units, exposure), [0.95])[0].mean()
    blind = levels(past(units), [0.95])[0].mean()
    assert told == pytest.approx(8.0, rel=0.03)
    assert blind < 6.5


def test_a_promotion_does_not_lift_the_level() -> None:
    logs = np.zeros((1, 20))
    logs[0, -3:] = np.log(5.0)
    units = 4.0 * np.exp(logs)
    assert levels(Past(units, np.ones((1, 20)), logs), [0.8])[0, 0] == pytest.approx(4.0)


def test_a_series_that_was_never_offered_has_no_level() -> None:
    assert levels(past(np.zeros((1, 5)), np.zeros((1, 5))), [0.9]).tolist() == [[0.0]]


def test_growth_is_found_and_carried_on_damped() -> None:
    units = np.tile(10 * 1.01 ** np.arange(150), (4, 1))
    found = levels(past(units), (0.8, 0.95))
    panel, own = growth(found, (0.8, 0.95))
    assert panel == pytest.approx(np.log(1.01), rel=0.15)
    np.testing.assert_allclose(own, 0.0, atol=1e-12)
    drift = carried(Trend(panel=1.0, damping=0.9), panel, own, 200)[0]
    assert (np.diff(drift) >= 0).all()
    assert drift[-1] == pytest.approx(10 * panel, rel=1e-3)


def test_a_trend_is_bound() -> None:
    assert carried(Trend(1.0, 1.0), 0.0, np.array([5.0, -5.0]), 3).tolist() == [
        [0.5] * 3,
        [-0.5] * 3,
    ]


def test_zeros_before_the_first_sale_are_no_history() -> None:
    units = np.array([[0.0, 0.0, 3.0, 0.0, np.nan], [np.nan, 0.0, 0.0, 0.0, 0.0]])
    assert begun(units).tolist() == [[False, False, True, True, False], [False] * 5]
