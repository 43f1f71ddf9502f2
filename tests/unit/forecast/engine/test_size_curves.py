import numpy as np
import pytest

from services.forecast.engine.size_curves import size_shares, strength

CURVE = np.array([0.1, 0.3, 0.4, 0.2])
RNG_SEED = 4


def _styles(count: int, units: int, weight: float) -> tuple[np.ndarray, np.ndarray]:
    """True shares of styles around CURVE, and units sold of each size."""
    rng = np.random.default_rng(RNG_SEED)
    shares = rng.dirichlet(weight * CURVE, count)
    sold = np.stack([rng.multinomial(units, each) for each in shares])
    return shares, sold.astype(float)


def test_shares_add_up_to_one_whatever_was_sold() -> None:
    _, sold = _styles(30, 20, 50.0)
    sold[3] = 0.0
    sold[4, 2] = np.nan
    found = size_shares(sold, np.zeros(30, dtype=np.int64))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found >= 0).all()
    assert found[4, 2] == 0


def test_a_style_that_sold_nothing_has_its_category_s_curve() -> None:
    _, sold = _styles(200, 100, 100.0)
    sold[0] = 0.0
    found = size_shares(sold, np.zeros(200, dtype=np.int64))
    np.testing.assert_allclose(found[0], CURVE, atol=0.03)


def test_a_style_that_sold_much_has_its_own() -> None:
    _, sold = _styles(50, 20, 30.0)
    sold[0] = [0, 0, 10_000, 10_000]
    found = size_shares(sold, np.zeros(50, dtype=np.int64))
    np.testing.assert_allclose(found[0], [0, 0, 0.5, 0.5], atol=0.02)


@pytest.mark.parametrize("weight", [8.0, 60.0])
def test_the_strength_of_a_category_is_found_in_its_styles(weight: float) -> None:
    _, sold = _styles(400, 60, weight)
    found = strength(sold, np.repeat(CURVE[np.newaxis], 400, axis=0))
    assert found == pytest.approx(weight, rel=0.25)


def test_shrunk_shares_are_nearer_to_the_truth_than_raw_or_pooled_ones() -> None:
    shares, sold = _styles(200, 25, 30.0)
    found = size_shares(sold, np.zeros(200, dtype=np.int64))
    raw = sold / sold.sum(axis=1, keepdims=True)
    pooled = sold.sum(axis=0) / sold.sum()

    def off(estimate: np.ndarray) -> float:
        return float(((estimate - shares) ** 2).mean())

    assert off(found) < 0.8 * min(off(raw), off(pooled))


def test_categories_have_curves_of_their_own() -> None:
    sold = np.array([[90.0, 10.0], [0.0, 0.0], [10.0, 90.0], [0.0, 0.0]])
    found = size_shares(sold, np.array([0, 0, 1, 1]))
    assert found[1, 0] > 0.8
    assert found[3, 0] < 0.2


def test_styles_without_any_sale_have_equal_shares() -> None:
    sold = np.array([[0.0, 0.0, np.nan], [0.0, 0.0, 0.0]])
    found = size_shares(sold, np.zeros(2, dtype=np.int64))
    np.testing.assert_allclose(found[0], [0.5, 0.5, 0.0])
    np.testing.assert_allclose(found[1], 1 / 3)
