import numpy as np
from scipy import special

from services.forecast.engine.intervals.family import Place
from services.forecast.engine.intervals.recalibration import GRID, NONE, learn

LEVELS = np.array([0.05, 0.1, 0.5, 0.9, 0.95])
RECORDS = 9_000


def _place(values: np.ndarray) -> Place:
    return Place(values, values + 1e-9)


def _origins(count: int) -> np.ndarray:
    return np.arange(RECORDS) % count


def test_without_records_levels_mean_what_they_say() -> None:
    np.testing.assert_allclose(NONE.places(np.zeros(3), LEVELS), np.repeat(LEVELS[:, None], 3, 1))


def test_a_true_family_is_left_alone() -> None:
    uniform = np.random.default_rng(1).random(RECORDS)
    learned = learn(np.linspace(-2, 2, RECORDS), _place(uniform), _origins(3))
    found = learned.places(np.array([-1.0, 0.0, 1.0]), LEVELS)
    np.testing.assert_allclose(found, np.repeat(LEVELS[:, None], 3, 1), atol=0.03)


def test_a_family_too_narrow_by_half_is_asked_for_wider_levels() -> None:
    scores = 2 * np.random.default_rng(2).standard_normal(RECORDS)
    size = np.linspace(-2, 2, RECORDS)
    learned = learn(size, _place(special.ndtr(scores)), _origins(3))
    found = learned.places(size, LEVELS).mean(axis=1)
    np.testing.assert_allclose(found, special.ndtr(2 * special.ndtri(LEVELS)), atol=0.04)


def test_levels_are_the_inverse_of_places() -> None:
    values = np.random.default_rng(3).beta(2, 3, RECORDS)
    size = np.linspace(-2, 2, RECORDS)
    learned = learn(size, _place(values), _origins(2))
    at = np.full(LEVELS.size, learned.centres[2])
    places = learned.places(at[:1], LEVELS)[:, 0]
    np.testing.assert_allclose(learned.levels(at, places), LEVELS, atol=1e-6)


def test_levels_between_two_sizes_lie_between_theirs() -> None:
    values = np.random.default_rng(3).beta(2, 3, RECORDS)
    learned = learn(np.linspace(-2, 2, RECORDS), _place(values), _origins(2))
    sizes, places = np.linspace(-3, 3, 41), np.linspace(0, 1, 41)
    of_bins = np.array([np.interp(places, GRID, row) for row in learned.held])
    expected = [
        np.interp(size, learned.centres, column)
        for size, column in zip(sizes, of_bins.T, strict=True)
    ]
    np.testing.assert_allclose(learned.levels(sizes, places), expected, atol=1e-9)


def test_luck_that_an_origin_shares_widens_the_levels() -> None:
    """Three origins, each with a shift of its own: what a fourth may bring is wider than pooled."""
    rng = np.random.default_rng(4)
    gaps = []
    for _ in range(20):
        origin = _origins(3)
        scores = rng.standard_normal(3)[origin] + rng.standard_normal(RECORDS)
        place = _place(special.ndtr(scores))
        told = learn(np.zeros(RECORDS), place, origin).places(np.zeros(1), LEVELS)
        pooled = learn(np.zeros(RECORDS), place, np.zeros(RECORDS)).places(np.zeros(1), LEVELS)
        gaps.append(
            float(np.diff(special.ndtri(told[[1, 3], 0]) - special.ndtri(pooled[[1, 3], 0]))[0])
        )
    assert np.mean(gaps) > 0.1
