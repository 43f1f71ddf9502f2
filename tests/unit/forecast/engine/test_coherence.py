import numpy as np
import pytest

from services.forecast.engine.coherence import TOTAL, crossed, hierarchy

SKU = np.arange(12, dtype=np.int64)
STYLE = SKU // 4
STORE = SKU % 2
LEVELS = {"style": STYLE, "store": STORE, "style and store": crossed([STYLE, STORE])}
VALUES = np.random.default_rng(1).gamma(2.0, 3.0, (12, 5))


def test_every_level_adds_up_to_the_total() -> None:
    sums = hierarchy(LEVELS).levels(VALUES)
    for name, values in sums.items():
        np.testing.assert_allclose(values.sum(axis=0), VALUES.sum(axis=0), err_msg=name)
    assert sums[TOTAL].shape == (1, 5)


def test_whole_units_add_up_exactly() -> None:
    whole = np.random.default_rng(2).integers(0, 1_000_000, (12, 5)).astype(float)
    for values in hierarchy(LEVELS).levels(whole).values():
        assert (values.sum(axis=0) == whole.sum(axis=0)).all()


def test_a_level_sums_its_own_series() -> None:
    found = hierarchy(LEVELS).level("style", VALUES)
    np.testing.assert_allclose(found[1], VALUES[4:8].sum(axis=0))


def test_levels_may_have_more_dimensions() -> None:
    drawn = np.random.default_rng(3).random((12, 5, 7))
    found = hierarchy(LEVELS).level("store", drawn)
    np.testing.assert_allclose(found[0], drawn[::2].sum(axis=0))


def test_a_code_without_series_sums_to_nothing() -> None:
    found = hierarchy({"region": np.array([0, 2, 2])}).level("region", np.ones((3, 1)))
    np.testing.assert_array_equal(found[:, 0], [1, 0, 2])


def test_an_override_keeps_the_proportions_of_the_forecast() -> None:
    tree = hierarchy(LEVELS)
    target = np.full((3, 5), np.nan)
    target[1] = 100.0
    found = tree.push_down("style", target, VALUES)
    np.testing.assert_allclose(tree.level("style", found)[1], 100.0)
    np.testing.assert_allclose(found[4] / found[5], VALUES[4] / VALUES[5])
    np.testing.assert_array_equal(found[:4], VALUES[:4])
    np.testing.assert_array_equal(found[8:], VALUES[8:])


def test_an_override_of_nothing_is_shared_equally() -> None:
    values = VALUES.copy()
    values[4:8] = 0.0
    target = np.array([[np.nan], [8.0], [np.nan]])
    found = hierarchy(LEVELS).push_down("style", target, values[:, :1])
    np.testing.assert_allclose(found[4:8, 0], 2.0)


@pytest.mark.parametrize("target", [0.0, 250.0])
def test_an_override_of_the_total_reaches_every_series(target: float) -> None:
    tree = hierarchy(LEVELS)
    found = tree.push_down(TOTAL, np.full((1, 5), target), VALUES)
    np.testing.assert_allclose(found.sum(axis=0), target)
    assert (found >= 0).all()
