import numpy as np
import pytest

from services.forecast.models.tsb import Smoothing, smooth
from services.forecast.panel import Booleans, Floats
from tests.unit.forecast.support import panel, poisson


def slow_tsb(
    sales: list[float], profile: list[float], observed: list[bool], prior: tuple[float, float]
) -> float:
    """One series, one day at a time, written from the paper and the module's docstrings."""
    gains = Smoothing()
    chance, size = prior
    begun, age, sold = False, 0, 0
    for units, factor, counts in zip(sales, profile, observed, strict=True):
        usable = counts and factor > 0
        if begun and usable:
            gain = max(gains.chance_gain, 1 / (age + 1 + gains.chance_prior_days))
            chance += gain * ((1 if units > 0 else 0) - chance)
            age += 1
        if units > 0:
            begun = True
            if usable:
                gain = max(gains.size_gain, 1 / (sold + 1 + gains.size_prior_sales))
                size += gain * (units / factor - size)
                sold += 1
    return chance * size if begun else 0.0


def pooled_prior(units: Floats) -> tuple[float, float]:
    lived = sold = firsts = 0
    for series in units.T:
        days = np.flatnonzero(series)
        if days.size:
            lived += units.shape[0] - int(days[0]) - 1
            firsts += 1
        sold += days.size
    return (sold - firsts + 1) / (lived + 2), float(units.sum() / sold)


@pytest.mark.parametrize("seed", range(5))
def test_all_series_at_once_equal_one_after_the_other(seed: int) -> None:
    random = np.random.default_rng(seed)
    units = poisson(np.array([0.05, 0.3, 1.0, 4.0, 30.0, 0.0]), days=90, seed=seed)
    units[: random.integers(0, 40), 2] = 0
    profile = random.choice([0.0, 0.5, 1.0, 1.7], units.shape)
    observed: Booleans = random.random(units.shape) < 0.9
    state = smooth(units, profile, observed, panel(units).first_sales(), Smoothing())
    expected = [
        slow_tsb(units[:, at].tolist(), profile[:, at].tolist(), observed[:, at].tolist(), prior)
        for prior in [pooled_prior(units)]
        for at in range(units.shape[1])
    ]
    assert state.level == pytest.approx(expected)


def test_a_steady_series_settles_at_its_mean() -> None:
    units = np.full((200, 1), 4.0)
    ones = np.ones_like(units)
    state = smooth(units, ones, ones > 0, np.zeros(1, dtype=np.int64), Smoothing())
    assert state.level == pytest.approx(4.0, rel=1e-3)
    assert state.squared_errors[0] / 200 < 0.1


def test_the_level_of_a_series_that_stopped_selling_fades() -> None:
    units = np.full((200, 1), 4.0)
    units[100:] = 0
    ones = np.ones_like(units)
    state = smooth(units, ones, ones > 0, np.zeros(1, dtype=np.int64), Smoothing())
    assert state.level[0] < 0.01
