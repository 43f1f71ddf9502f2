import math

import numpy as np
import pytest

from services.forecast.metrics import LEVELS
from services.forecast.models import counts
from services.forecast.models.intervals import Residuals, calibrate, tidied


def slow_quantile(mean: float, dispersion: float, level: float) -> int:
    """The least count whose cumulative probability reaches ``level``, from log-gamma."""
    total, count = 0.0, -1
    while total < level:
        count += 1
        if dispersion == 0:
            log = count * math.log(mean) - mean - math.lgamma(count + 1)
        else:
            shape = 1 / dispersion
            log = math.lgamma(count + shape) - math.lgamma(shape) - math.lgamma(count + 1)
            log += shape * math.log(shape / (shape + mean))
            log += count * math.log(mean / (shape + mean))
        total += math.exp(log)
    return count


@pytest.mark.parametrize("dispersion", [0.0, 0.2, 1.0, 6.0])
def test_count_quantiles_equal_the_sums_of_probabilities(dispersion: float) -> None:
    means = np.array([0.01, 0.2, 1.0, 3.7, 25.0, 99.0])
    found = counts.quantiles(means, dispersion, LEVELS)
    expected = [[slow_quantile(m, dispersion, level) for m in means.tolist()] for level in LEVELS]
    assert found.tolist() == expected


@pytest.mark.parametrize("dispersion", [0.0, 0.05, 0.5, 2.0])
def test_quantiles_of_large_counts_are_close(dispersion: float) -> None:
    means = np.array([101.0, 400.0])
    found = counts.quantiles(means, dispersion, LEVELS)
    for row, level in zip(found, LEVELS, strict=True):
        exact = [slow_quantile(mean, dispersion, level) for mean in means.tolist()]
        assert row == pytest.approx(exact, rel=0.06, abs=1)


def test_a_mean_of_nothing_has_quantiles_of_nothing() -> None:
    assert counts.quantiles(np.zeros(3), 1.0, LEVELS).tolist() == [[0, 0, 0]] * 3


def residuals(count: int) -> Residuals:
    random = np.random.default_rng(2)
    mean = np.exp(random.normal(2, 1, count))
    return Residuals(mean, np.sqrt(mean), mean + np.sqrt(mean) * random.normal(0, 1, count))


def test_few_residuals_calibrate_nothing() -> None:
    assert calibrate(residuals(199)) is None


def test_scaled_residuals_give_back_their_own_quantiles() -> None:
    known = residuals(20_000)
    calibrated = calibrate(known)
    assert calibrated is not None
    mean = np.array([20.0, 30.0])
    found = calibrated.quantiles(mean, np.sqrt(mean))
    normal = np.array([[-1.2816], [0.0], [1.2816]])
    assert found == pytest.approx(mean + normal * np.sqrt(mean), abs=0.6)


def test_quantiles_below_half_a_unit_are_none() -> None:
    quantiles = np.array([[-3.0, 0.4, 0.6], [0.49, 2.0, 0.5], [0.7, 1.0, 9.0]])
    tidy = tidied(quantiles, np.array([1.0, 1.0, 1.0]))
    assert tidy.tolist() == [[0, 0, 0.6], [0, 2, 0.6], [0.7, 2, 9]]
    assert tidied(quantiles, np.zeros(3)).max() == 0
