"""Shifted distributions: used where they gain at past origins, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import Luck
from services.forecast.engine.held import Held
from services.forecast.engine.intervals import Calibration, calibrate
from services.forecast.engine.intervals.boosted import moved
from services.forecast.engine.panel import Panel
from tests.unit.forecast.engine.intervals.support import (
    LEVELS,
    counts,
    helds_of,
    inside,
    panel_of,
    pinball,
)

SERIES, PERIODS, AHEAD = 400, 88, 8
ORIGINS = (64, 72, 80)
LUCK = Luck(seed=0, threads=1)


def case(wrong: tuple[float, float, float, float]) -> tuple[Panel, list[Held], Floats, Floats]:
    """Forecasts that are off by a factor in every other series, at each origin another.

    Returns:
        The panel before the last horizon, its past origins, its forecasts, and what happened.
    """
    units, mean = counts(SERIES, PERIODS + AHEAD, (2.0, 30.0), 6.0)
    kind = np.arange(SERIES) % 2
    panel = panel_of(units[:, :PERIODS], AHEAD)
    panel = replace(panel, static={"kind": kind})
    said = mean.copy()
    for origin, factor in zip((*ORIGINS, PERIODS), wrong, strict=True):
        said[kind == 1, origin : origin + AHEAD] *= factor
    future = said[:, PERIODS:], units[:, PERIODS:]
    return panel, helds_of(panel, ORIGINS, said), *future


def loss(learned: Calibration, panel: Panel, mean: Floats, actual: Floats) -> float:
    found = learned.quantiles(panel, mean, LEVELS)
    return sum(pinball(actual, each, level) for each, level in zip(found, LEVELS, strict=True))


def test_an_error_that_lasts_is_corrected_and_coverage_stays() -> None:
    panel, helds, mean, actual = case((1.8, 1.8, 1.8, 1.8))
    plain, learned = calibrate(panel, helds), calibrate(panel, helds, LUCK)
    assert learned.shift is not None
    assert loss(learned, panel, mean, actual) < 0.97 * loss(plain, panel, mean, actual)
    low, _, high = learned.quantiles(panel, mean, LEVELS)
    assert inside(actual, low, high) == pytest.approx(0.8, abs=0.02)


def test_true_forecasts_are_left_alone() -> None:
    panel, helds, _, _ = case((1.0, 1.0, 1.0, 1.0))
    assert calibrate(panel, helds, LUCK).shift is None


def test_an_error_that_the_newest_origin_did_not_show_is_left_alone() -> None:
    panel, helds, _, _ = case((1.8, 1.8, 0.6, 1.8))
    assert calibrate(panel, helds, LUCK).shift is None


def test_few_records_and_a_single_origin_are_left_alone() -> None:
    panel, helds, _, _ = case((1.8, 1.8, 1.8, 1.8))
    assert calibrate(panel, helds[-1:], LUCK).shift is None
    few = np.arange(100)
    less = [Held(each.origin, each.mean[few], each.actual[few]) for each in helds]
    assert calibrate(panel.of(few), less, LUCK).shift is None
    assert calibrate(panel, [], LUCK).shift is None


def test_quantiles_ascend_are_the_same_with_more_threads_and_of_some_series() -> None:
    panel, helds, mean, _ = case((1.8, 1.8, 1.8, 1.8))
    learned = calibrate(panel, helds, LUCK)
    found = learned.whole(panel, mean, (0.01, 0.3, 0.31, 0.999))
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=0) >= 0).all()
    again = calibrate(panel, helds, Luck(seed=0, threads=2)).whole(panel, mean, (0.3,))
    np.testing.assert_array_equal(again[0], found[1])
    part = learned.of(slice(10, 20)).whole(panel.of(np.arange(10, 20)), mean[10:20], (0.3,))
    np.testing.assert_array_equal(part[0], found[1, 10:20])


def test_probabilities_are_the_inverse_of_quantiles() -> None:
    panel, helds, mean, _ = case((1.8, 1.8, 1.8, 1.8))
    learned = calibrate(panel, helds, LUCK)
    assert learned.shift is not None
    place = learned.probabilities(panel, mean, learned.whole(panel, mean, (0.3,))[0])
    assert (place.before <= 0.3 + 0.01).all()
    assert (place.until >= 0.3 - 0.01).all()


def test_scores_are_moved_there_and_back() -> None:
    levels, shift = np.array([[0.0, 0.2, 0.5], [0.9, 0.99, 1.0]]), np.array([0.4, -1.0, 2.0])
    there = moved(levels, shift)
    assert there[0, 2] == pytest.approx(0.97725, abs=1e-5)
    np.testing.assert_allclose(moved(there, -shift), levels, atol=1e-9)
