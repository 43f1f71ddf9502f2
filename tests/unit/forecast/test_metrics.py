import math

import numpy as np
import pytest

from services.forecast import metrics


def test_scales_begin_at_the_first_sale() -> None:
    units = np.array([[0.0, 2.0], [0.0, 2.0], [4.0, 5.0], [1.0, 1.0]])
    found = metrics.scales(units)
    assert found.root_mean_square == pytest.approx([3.0, math.sqrt((0 + 9 + 16) / 3)])
    assert found.mean_absolute == pytest.approx([3.0, 7 / 3])


def test_a_constant_series_has_no_scale() -> None:
    found = metrics.scales(np.full((5, 1), 2.0))
    assert np.isnan(found.root_mean_square).all()
    assert np.isnan(found.mean_absolute).all()


def test_rmsse_is_the_mean_of_scaled_errors() -> None:
    actual, mean = np.array([[1.0, 0.0], [3.0, 0.0]]), np.array([[2.0, 2.0], [2.0, 2.0]])
    scale = metrics.Scales(np.array([2.0, 4.0]), np.array([1.0, 1.0]))
    assert metrics.rmsse(actual, mean, scale) == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_wape_is_error_over_sales() -> None:
    assert metrics.wape(np.array([[4.0, 0.0]]), np.array([[3.0, 1.0]])) == 0.5
    assert math.isnan(metrics.wape(np.zeros((1, 1)), np.ones((1, 1))))


def test_coverage_counts_the_bounds_in() -> None:
    actual = np.array([0.0, 1.0, 2.0, 3.0])
    assert metrics.coverage(actual, np.full(4, 1.0), np.full(4, 2.0)) == 0.5


def test_pinball_weighs_the_two_sides() -> None:
    loss = metrics.pinball(np.array([10.0, 0.0]), np.array([4.0, 4.0]), 0.9)
    assert loss == pytest.approx([5.4, 0.4])


def test_spl_averages_the_levels_and_scales_each_series() -> None:
    actual = np.array([[2.0], [4.0]])
    quantiles = np.array([[[1.0], [1.0]], [[2.0], [2.0]], [[5.0], [3.0]]])
    # P10: .1 and .3; P50: 0 and 1; P90: .3 and .9; over a scale of 2.
    scale = metrics.Scales(np.array([1.0]), np.array([2.0]))
    assert metrics.spl(actual, quantiles, scale) == pytest.approx(2.6 / 6 / 2)
