"""Ends of counts: coverage is exact, and whole units are only a hair away."""

import numpy as np
import pytest

from services.forecast.engine.intervals import ends, family
from tests.unit.forecast.engine.intervals.support import inside, pinball

LEVELS = np.array([0.1, 0.5, 0.9])
FORECASTS = 40_000


def _ends(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    deviation = np.sqrt(mean + mean**2 / 3)
    wanted = np.repeat(LEVELS[:, np.newaxis], mean.size, axis=1)
    values = family.counts(wanted, mean, deviation)
    place = family.place_of_counts(values, mean, deviation)
    return values, np.maximum.accumulate(
        ends.settle(values, place, (wanted, 1 - wanted), LEVELS), axis=0
    )


@pytest.mark.parametrize("units", [0.02, 0.2, 1.0, 6.0, 30.0])
def test_coverage_is_nominal_however_small_the_counts(units: float) -> None:
    mean = np.full(FORECASTS, units)
    actual = np.random.default_rng(5).negative_binomial(3, 3 / (3 + mean)).astype(float)
    whole, settled = _ends(mean)
    assert inside(actual, settled[0], settled[2]) == pytest.approx(0.8, abs=0.01)
    assert inside(actual, whole[0], whole[2]) > 0.805


def test_coverage_is_nominal_in_every_part_of_a_panel() -> None:
    mean = np.tile([0.05, 0.3, 2.0, 9.0], FORECASTS // 4)
    actual = np.random.default_rng(6).negative_binomial(3, 3 / (3 + mean)).astype(float)
    _, settled = _ends(mean)
    for part in range(4):
        found = inside(*(each[part::4] for each in (actual, settled[0], settled[2])))
        assert found == pytest.approx(0.8, abs=0.015)


def test_ends_are_whole_units_but_for_a_hair() -> None:
    mean = np.geomspace(0.01, 40, FORECASTS)
    whole, settled = _ends(mean)
    assert np.abs(settled - whole).max() <= ends.HAIR_UNITS * 1.001
    assert (settled >= 0).all()
    actual = np.random.default_rng(7).negative_binomial(3, 3 / (3 + mean)).astype(float)
    for row, level in enumerate(LEVELS):
        cost = pinball(actual, settled[row], level) - pinball(actual, whole[row], level)
        assert abs(cost) < ends.HAIR_UNITS
