import numpy as np
import pytest

from services.forecast.engine.intervals import features, spread

SERIES, AHEAD, ORIGINS = 500, 6, 3


def _ratios(own: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Each series' true factor, scattering by ``own``, and its ratios at each origin."""
    rng = np.random.default_rng(1)
    factors = np.exp(own * rng.standard_normal((SERIES, 1)))
    shape = (SERIES, AHEAD)
    return factors[:, 0], [factors * rng.exponential(1.0, shape) for _ in range(ORIGINS)]


def test_factors_that_last_from_origin_to_origin_are_trusted() -> None:
    true, ratios = _ratios(0.6)
    found, _ = spread.own_factors(ratios)
    assert np.corrcoef(found, true)[0, 1] > 0.85
    assert found.std() > 0.7 * true.std()


def test_factors_of_one_origin_only_are_not() -> None:
    _, ratios = _ratios(0.0)
    found, _ = spread.own_factors(ratios)
    assert found.std() < 0.1


def test_what_is_known_of_a_series_at_an_origin_leaves_that_origin_out() -> None:
    _, ratios = _ratios(0.6)
    changed = [ratios[0], ratios[1] * 7, ratios[2]]
    before, after = (spread.own_factors(each)[1] for each in (ratios, changed))
    assert (before[0] < after[0]).all()
    assert np.corrcoef(before[1], after[1])[0, 1] > 0.999


def test_errors_follow_the_power_of_what_they_depend_on() -> None:
    rng = np.random.default_rng(2)
    described = np.zeros((20_000, len(features.NAMES)))
    described[:, 0] = 1.0
    size, noise = (features.NAMES.index(name) for name in ("size", "noise"))
    described[:, [size, noise]] = rng.normal(0, 1.5, (20_000, 2))
    usual = np.exp(0.4 + 0.6 * described[:, size] + 0.3 * described[:, noise])
    found = spread.fit(described, usual * rng.exponential(1.0, usual.size))
    assert found[size] == pytest.approx(0.6, abs=0.03)
    assert found[noise] == pytest.approx(0.3, abs=0.03)
    np.testing.assert_allclose(spread.expected(described, found), usual, rtol=0.1)


def test_no_error_at_all_leaves_the_prior() -> None:
    np.testing.assert_array_equal(
        spread.fit(np.zeros((0, spread.PRIOR.size)), np.zeros(0)), spread.PRIOR
    )
