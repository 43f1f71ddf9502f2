"""Change points: the exact optimum, against every segmentation and against ruptures."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import ruptures

from services.forecast.engine.change_points import LEAST_COLUMNS, change_points


def cost(values: np.ndarray, cuts: tuple[int, ...]) -> float:
    edges = (0, *cuts, values.size)
    parts = (values[a:b] for a, b in pairwise(edges))
    return float(sum(((part - part.mean()) ** 2).sum() for part in parts))


def penalty(values: np.ndarray, factor: float) -> float:
    noise = 1.4826 * np.median(np.abs(np.diff(values))) / np.sqrt(2)
    return float(factor * noise**2 * np.log(values.size))


@pytest.mark.parametrize("seed", range(6))
def test_no_other_segmentation_costs_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(18) + 3 * (np.arange(18) >= 9) * (seed % 2)
    found = tuple(change_points(values[np.newaxis], 3.0).column.tolist())
    price = penalty(values, 3.0)
    possible = [
        cuts
        for count in range(4)
        for cuts in combinations(range(LEAST_COLUMNS, 18 - LEAST_COLUMNS + 1), count)
        if all(b - a >= LEAST_COLUMNS for a, b in pairwise(cuts))
    ]
    best = min(possible, key=lambda cuts: cost(values, cuts) + price * len(cuts))
    assert found == best


def test_pelt_finds_the_same() -> None:
    rng = np.random.default_rng(3)
    levels = np.repeat([1.0, 3.0, 2.0, 5.0], 30)
    values = levels + 0.4 * rng.standard_normal(levels.size)
    pelt = ruptures.Pelt(model="l2", min_size=LEAST_COLUMNS, jump=1).fit(values)
    *expected, _ = pelt.predict(pen=penalty(values, 3.0))
    found = change_points(values[np.newaxis])
    assert found.column.tolist() == expected
    assert found.after[-1] == pytest.approx(values[expected[-1] :].mean())
    assert found.before[-1] == pytest.approx(values[expected[-2] : expected[-1]].mean())


def test_each_series_has_its_own_and_gaps_are_skipped() -> None:
    rng = np.random.default_rng(5)
    values = 0.1 * rng.standard_normal((3, 40))
    values[1, 20:] += 4
    values[1, 25] = np.nan
    values[2] = np.nan
    found = change_points(values)
    assert found.series.tolist() == [1]
    assert found.column.tolist() == [20]


def test_white_noise_rarely_changes() -> None:
    values = np.random.default_rng(7).standard_normal((200, 104))
    assert np.unique(change_points(values).series).size < 30
