"""Calendar profiles: what is learned from a panel, and how far a series is trusted."""

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.plain.observed import Observed
from services.forecast.engine.plain.profiles import Calendar, fit_shared, own_factors

WEEKS = 30
TRUTH = np.array([0.5, 0.6, 0.8, 1.0, 1.2, 2.0, 0.9])


def _calendar(ahead: int = 0) -> Calendar:
    return Calendar(np.arange(WEEKS * 7 + ahead) % 7, 7, 28, 0)


def _observed(units: Floats) -> Observed:
    return Observed(units, np.ones_like(units))


def _flat() -> Floats:
    return np.ones((WEEKS * 7, 1))


def test_a_profile_common_to_all_is_found_in_sparse_series() -> None:
    draw = np.random.default_rng(1)
    units = draw.poisson(0.3 * np.tile(TRUTH, WEEKS)[:, np.newaxis], (WEEKS * 7, 400)).astype(float)
    shared = fit_shared(_observed(units), _flat(), _calendar())
    assert shared.factors == pytest.approx(TRUTH, abs=0.08)
    own = own_factors(_observed(units), _flat(), _calendar(), shared)
    # None has a profile of its own: what would be 36 % noise a day is drawn to the panel's.
    assert np.abs(own - TRUTH[:, np.newaxis]).mean() < 0.1


def test_dense_series_keep_profiles_of_their_own() -> None:
    draw = np.random.default_rng(2)
    factors = np.stack([np.roll(TRUTH, shift) for shift in range(7)] * 3, axis=1)
    units = draw.poisson(50.0 * np.tile(factors, (WEEKS, 1))).astype(float)
    shared = fit_shared(_observed(units), _flat(), _calendar())
    own = own_factors(_observed(units), _flat(), _calendar(), shared)
    assert own == pytest.approx(factors, abs=0.12)


def test_noise_makes_no_profile() -> None:
    draw = np.random.default_rng(3)
    units = draw.poisson(1.0, (WEEKS * 7, 200)).astype(float)
    shared = fit_shared(_observed(units), _flat(), _calendar())
    own = own_factors(_observed(units), _flat(), _calendar(), shared)
    assert np.abs(own - 1.0).mean() < 0.02


def test_one_large_order_makes_no_profile() -> None:
    draw = np.random.default_rng(4)
    units = draw.poisson(1.0, (WEEKS * 7, 50)).astype(float)
    units[100, 0] = 500.0
    shared = fit_shared(_observed(units), _flat(), _calendar())
    own = own_factors(_observed(units), _flat(), _calendar(), shared)
    assert np.abs(own[:, 0] - 1.0).max() < 0.5


def test_a_closed_day_is_nearly_zero() -> None:
    draw = np.random.default_rng(5)
    units = draw.poisson(2.0, (WEEKS * 7, 100)).astype(float)
    units[5::7] = 0.0
    shared = fit_shared(_observed(units), _flat(), _calendar())
    assert shared.factors[5] < 0.01
