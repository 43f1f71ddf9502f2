"""The families against scipy's distributions."""

import numpy as np
import pytest
from scipy import stats

from services.forecast.engine.intervals import family

LEVELS = np.array([0.01, 0.1, 0.5, 0.9, 0.99])


def _negative_binomial(mean: np.ndarray, deviation: np.ndarray) -> stats.rv_discrete:
    variance = deviation**2
    return stats.nbinom(mean**2 / (variance - mean), mean / variance)


def test_quantiles_of_counts_are_those_of_the_negative_binomial() -> None:
    mean = np.geomspace(0.01, 60, 200)
    deviation = np.sqrt(mean + 0.7 * mean**2)
    places = np.repeat(LEVELS[:, np.newaxis], mean.size, axis=1)
    expected = _negative_binomial(mean, deviation).ppf(places)
    np.testing.assert_array_equal(family.counts(places, mean, deviation), expected)


def test_places_of_counts_are_cumulative_probabilities() -> None:
    mean = np.geomspace(0.05, 50, 60)
    deviation = np.sqrt(mean + 0.4 * mean**2)
    units = np.round(mean)
    oracle = _negative_binomial(mean, deviation)
    place = family.place_of_counts(units, mean, deviation)
    np.testing.assert_allclose(place.until, oracle.cdf(units), rtol=1e-9)
    np.testing.assert_allclose(place.before, oracle.cdf(units - 1), rtol=1e-7, atol=1e-12)


def test_amounts_are_close_to_a_gamma() -> None:
    for share in (0.05, 0.3, 0.6):
        found = family.amounts(LEVELS, np.float64(100.0), np.float64(100.0 * share))
        gamma = stats.gamma(1 / share**2, scale=100.0 * share**2)
        np.testing.assert_allclose(found, gamma.ppf(LEVELS), rtol=0.08)


def test_the_place_of_an_amount_is_the_inverse_of_its_quantile() -> None:
    mean, deviation = np.full(5, 40.0), np.full(5, 12.0)
    units = family.amounts(LEVELS, mean, deviation)
    place = family.place_of_amounts(units, mean, deviation, 0.0)
    np.testing.assert_allclose(place.until, LEVELS, rtol=1e-9)


@pytest.mark.parametrize(
    ("units", "whole"),
    [([0.0, 1.0, np.nan, 7.0], True), ([0.5, 1.25, 2.0], False), ([np.nan], False)],
)
def test_counts_are_told_by_whole_numbers(units: list[float], *, whole: bool) -> None:
    assert family.counted(np.array([units])) is whole
