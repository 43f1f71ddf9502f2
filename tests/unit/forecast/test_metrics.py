"""Figures agree with ones that are reckoned one row at a time, from the definitions alone."""

import math
import statistics
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from services.forecast import metrics

NAN = math.nan


class Oracle:
    """One series in plain Python: what was recorded, and what was forecast beside it."""

    def __init__(self, past: list[float], actual: list[float], *forecasts: list[float]) -> None:
        seen = [y for y in past if not math.isnan(y)]
        while len(seen) > 1 and any(seen) and seen[0] == 0:
            seen = seen[1:]
        self.steps = [later - earlier for earlier, later in pairwise(seen)]
        rows = zip(actual, *forecasts, strict=True)
        self.rows = [row for row in rows if not math.isnan(row[0])]

    def scale(self, power: int) -> float:
        if not self.steps:
            return NAN
        mean: float = statistics.fmean(abs(step) ** power for step in self.steps) ** (1 / power)
        return mean or NAN

    def scaled(self, power: int) -> float:
        if not self.rows:
            return NAN
        mean = statistics.fmean(abs(row[0] - row[1]) ** power for row in self.rows)
        return float(mean ** (1 / power)) / self.scale(power)

    def pinball(self) -> float:
        losses = [
            level * (y - q) if y >= q else (1 - level) * (q - y)
            for y, *quantiles in self.rows
            for level, q in zip((0.1, 0.5, 0.9), quantiles, strict=True)
        ]
        return statistics.fmean(losses) / self.scale(1) if losses else NAN


def defined(values: list[float]) -> float:
    return statistics.fmean(value for value in values if not math.isnan(value))


def panel(seed: int) -> tuple[metrics.Floats, metrics.Floats, metrics.Floats]:
    """Past, actual and quantiles, with gaps, short series, constant ones and ones never sold."""
    random = np.random.default_rng(seed)
    units = random.poisson(random.gamma(1.0, 2.0, (40, 1)), (40, 30)).astype(float)
    units[random.random(units.shape) < 0.1] = NAN
    units[3], units[4, :20], units[5, :23] = 0.0, 0.0, NAN
    units[6, :24] = 2.0
    units[7, 24:] = NAN
    units[8, :24] = NAN
    quantiles = np.sort(random.gamma(2.0, 1.0, (3, 40, 6)), axis=0)
    return units[:, :24], units[:, 24:], quantiles


def oracles(past: metrics.Floats, actual: metrics.Floats, *means: metrics.Floats) -> list[Oracle]:
    rows = zip(past.tolist(), actual.tolist(), *(mean.tolist() for mean in means), strict=True)
    return [Oracle(*row) for row in rows]


@pytest.mark.parametrize("seed", range(5))
def test_scaled_errors_agree_with_the_definitions(seed: int) -> None:
    past, actual, (_, mean, _) = panel(seed)
    scale, found = metrics.scales(past), oracles(past, actual, mean)
    assert scale.mean_absolute == pytest.approx([one.scale(1) for one in found], nan_ok=True)
    assert scale.root_mean_square == pytest.approx([one.scale(2) for one in found], nan_ok=True)
    assert metrics.mase(actual, mean, scale.mean_absolute) == pytest.approx(
        defined([one.scaled(1) for one in found])
    )
    assert metrics.rmsse(actual, mean, scale) == pytest.approx(
        defined([one.scaled(2) for one in found])
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_pinball_loss_agrees_with_its_definition(seed: int) -> None:
    past, actual, quantiles = panel(seed)
    found = oracles(past, actual, *quantiles)
    assert metrics.spl(actual, quantiles, metrics.scales(past)) == pytest.approx(
        defined([one.pinball() for one in found])
    )


def test_figures_over_all_rows_agree_with_a_count_of_rows() -> None:
    past, actual, (low, mean, high) = panel(7)
    rows = [row for one in oracles(past, actual, low, mean, high) for row in one.rows]
    total = sum(y for y, *_ in rows)
    assert metrics.wmape(actual, mean) == pytest.approx(
        sum(abs(y - f) for y, _, f, _ in rows) / total
    )
    assert metrics.bias(actual, mean) == pytest.approx(sum(f - y for y, _, f, _ in rows) / total)
    inside = [a <= y <= b for y, a, _, b in rows]
    assert metrics.coverage(actual, low, high) == pytest.approx(statistics.fmean(inside))


def test_scales_begin_at_the_first_sale_and_step_over_gaps() -> None:
    past = np.array([[0.0, 0.0, 4.0, 1.0], [2.0, NAN, 5.0, 1.0]])
    found = metrics.scales(past)
    assert found.mean_absolute == pytest.approx([3.0, 3.5])
    assert found.root_mean_square == pytest.approx([3.0, math.sqrt((9 + 16) / 2)])


def test_weighted_errors_follow_the_weights() -> None:
    actual, mean = np.array([[1.0], [3.0], [5.0]]), np.array([[2.0], [1.0], [5.0]])
    scale = metrics.Scales(np.array([2.0, 4.0, NAN]), np.ones(3))
    weights = np.array([3.0, 1.0, 4.0])
    # A series that cannot be scaled counts as right, and keeps its weight.
    assert metrics.wrmsse(actual, mean, scale, weights) == pytest.approx((3 / 2 + 2 / 4) / 8)
    assert math.isnan(metrics.wrmsse(actual, mean, scale, np.zeros(3)))


def test_a_seasonal_scale_compares_with_the_season_before() -> None:
    past = np.array([[1.0, 5.0, 2.0, 7.0], [1.0, NAN, 1.0, 7.0]])
    assert metrics.seasonal_scale(past, 2) == pytest.approx([1.5, NAN], nan_ok=True)


def test_smape_follows_the_competition() -> None:
    actual, mean = np.array([[1.0, 0.0], [4.0, 4.0]]), np.array([[3.0, 0.0], [4.0, 12.0]])
    assert metrics.smape(actual, mean) == pytest.approx((100 / 2 + 100 / 2) / 2)


@pytest.mark.parametrize(
    "figure",
    [
        lambda y: metrics.wmape(y, y),
        lambda y: metrics.bias(y, y),
        lambda y: metrics.smape(y, y),
        lambda y: metrics.coverage(y, y, y),
        lambda y: metrics.rmsse(y, y, metrics.scales(y)),
    ],
)
def test_what_is_not_defined_is_nan(figure: Callable[[metrics.Floats], float]) -> None:
    assert math.isnan(figure(np.full((2, 3), NAN)))
