"""The response finds what was planted, and shrinks what it cannot know."""

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.promo.response import (
    Moments,
    Pool,
    Pooled,
    Shrinkage,
    centred,
    own_coefficients,
    response,
    shared_coefficients,
    totals,
)

SERIES, PERIODS = 40, 80


def moments(effects: Floats, noise: float, seed: int = 1) -> tuple[Moments, np.ndarray]:
    """Of series with ``effects``, (series, regressors), of standard normal regressors."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(effects.shape[0], effects.shape[1], PERIODS)).astype(np.float32)
    z = (effects[:, np.newaxis] @ x)[:, 0] + 3.0 + noise * random.normal(size=(len(x), PERIODS))
    weight = np.ones(z.shape)
    found = totals(x, z, weight, [PERIODS // 2, PERIODS])
    return centred(found[1], np.full(len(x), float(PERIODS))), x


def pooled(of: Moments, codes: np.ndarray | None = None) -> Pooled:
    pool = Pool(of.cross.shape[1], codes)
    pool.add(np.arange(len(of.cross)), of)
    return pool.pooled()


def how(own: float = np.inf, group: float = np.inf, width: int = 2) -> Shrinkage:
    return Shrinkage(np.ones(width, bool), np.full(width, own), group)


def test_the_panel_s_response_is_found() -> None:
    truth = np.array([1.0, -0.5])
    found, _ = shared_coefficients(pooled(moments(np.tile(truth, (SERIES, 1)), 0.1)[0]), how())
    np.testing.assert_allclose(found, truth, atol=0.05)


def test_moments_do_not_depend_on_where_the_past_is_cut() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(3, 2, 30)).astype(np.float32)
    z, w = random.normal(size=(2, 3, 30))
    parts = totals(x, z, w, [10, 20, 30])
    np.testing.assert_allclose(parts[2], totals(x, z, w, [30])[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(parts[0], totals(x[..., :10], z[:, :10], w[:, :10], [10])[0])


def test_groups_that_differ_are_told_apart_only_if_they_may() -> None:
    codes = np.repeat([0, 1], SERIES // 2)
    effects = np.stack([np.where(codes == 0, 1.0, -1.0), np.zeros(SERIES)], axis=1)
    sums = pooled(moments(effects, 0.1)[0], codes)
    _, free = shared_coefficients(sums, how(group=1.0))
    np.testing.assert_allclose(free[:, 0], [1.0, -1.0], atol=0.1)
    _, bound = shared_coefficients(sums, how())
    np.testing.assert_allclose(bound[0], bound[1])


def test_a_ridge_of_as_many_periods_as_there_are_meets_halfway() -> None:
    effects = np.tile([1.0, 0.0], (SERIES, 1))
    of, _ = moments(effects, 0.0)
    found = own_coefficients(of, np.zeros((SERIES, 2)), pooled(of), how(own=float(PERIODS)))
    assert found[:, 0].mean() == pytest.approx(0.5, abs=0.03)


def test_what_may_not_act_does_not() -> None:
    of, _ = moments(np.tile([1.0, 1.0], (SERIES, 1)), 0.1)
    only = Shrinkage(np.array([True, False]), np.full(2, 10.0), 10.0)
    panel, _ = shared_coefficients(pooled(of), only)
    own = own_coefficients(of, np.tile(panel, (SERIES, 1)), pooled(of), only)
    assert panel[1] == 0
    assert (own[:, 1] == 0).all()


def test_a_regressor_that_never_moves_is_harmless() -> None:
    x = np.zeros((3, 1, PERIODS), np.float32)
    z = np.random.default_rng(1).normal(size=(3, PERIODS))
    of = centred(totals(x, z, np.ones(z.shape), [PERIODS])[0], np.full(3, float(PERIODS)))
    panel, _ = shared_coefficients(pooled(of), how(width=1))
    assert panel.tolist() == [0.0]


def test_the_response_of_a_cell_depends_on_nothing_later() -> None:
    units = np.random.default_rng(1).poisson(4.0, (5, 30)).astype(np.float64)
    changed = units.copy()
    changed[:, 20:] += 50
    on = np.ones(units.shape, bool)
    np.testing.assert_array_equal(
        response(units, None, on)[:, :20], response(changed, None, on)[:, :20]
    )
