import numpy as np
import pytest

from services.forecast.engine import ensemble
from services.forecast.engine.arrays import Floats
from services.forecast.engine.held import Held

SERIES, AHEAD = 400, 6
ACTUAL = 10.0 + np.random.default_rng(0).normal(size=(SERIES, AHEAD))
ONE_SEGMENT = np.zeros(SERIES, dtype=np.int64)
SCALES = np.ones(SERIES)


def off(error: float, seed: int) -> list[Held]:
    """A tier that errs by ``error``, independently of others."""
    noise = np.random.default_rng(seed).normal(scale=error, size=ACTUAL.shape)
    return [Held(20, ACTUAL + noise, ACTUAL)]


def shares(scales: Floats = SCALES, **tiers: list[Held]) -> Floats:
    return np.asarray(ensemble.learn(tiers, scales, ONE_SEGMENT, 1).shares[0])


def test_tiers_that_err_alike_and_independently_share_equally() -> None:
    assert shares(plain=off(1.0, 1), other=off(1.0, 2)) == pytest.approx([0.5, 0.5], abs=0.05)


def test_the_better_tier_counts_for_more() -> None:
    plain, other = shares(plain=off(1.0, 1), other=off(0.9, 2))
    assert other > 0.55
    assert 0 < plain < 0.45


def test_a_tier_far_behind_the_best_gets_nothing_though_its_errors_would_cancel() -> None:
    best = off(0.5, 2)
    against = [Held(20, ACTUAL - 1.4 * (best[0].mean - ACTUAL), ACTUAL)]
    assert shares(plain=against, other=best) == pytest.approx([0.0, 1.0])


def test_a_tier_that_loses_to_the_simple_one_gets_nothing() -> None:
    assert shares(plain=off(1.0, 1), other=off(1.5, 2)) == pytest.approx([1.0, 0.0])


def test_a_few_huge_series_do_not_decide() -> None:
    spoilt = off(0.9, 2)
    spoilt[0].mean[:4] += 1e4
    plain, other = shares(plain=off(1.0, 1), other=off(0.9, 2))
    huge = SCALES.copy()
    huge[:4] = 1e4
    assert shares(huge, plain=off(1.0, 1), other=spoilt) == pytest.approx([plain, other], abs=0.03)


def test_segments_differ_where_many_series_say_so() -> None:
    codes = (np.arange(SERIES) % 2).astype(np.int64)
    good, bad = off(0.5, 2)[0].mean, off(2.0, 3)[0].mean
    other = [Held(20, np.where(codes[:, np.newaxis] == 0, good, bad), ACTUAL)]
    weights = ensemble.learn({"plain": off(1.0, 1), "other": other}, SCALES, codes, 2)
    assert weights.shares[0, 1] > 0.5
    assert weights.shares[1, 1] == 0.0


def test_a_segment_of_few_series_follows_the_panel() -> None:
    codes = np.where(np.arange(SERIES) < 5, 1, 0).astype(np.int64)
    tiers = {"plain": off(1.0, 1), "other": off(0.7, 2)}
    weights = ensemble.learn(tiers, SCALES, codes, 2)
    assert weights.shares[1] == pytest.approx(weights.shares[0], abs=0.05)


def test_without_anything_held_back_all_count_equally() -> None:
    weights = ensemble.learn({"plain": [], "other": []}, SCALES, ONE_SEGMENT, 1)
    assert weights.shares.tolist() == [[0.5, 0.5]]


def test_series_without_a_scale_have_no_voice() -> None:
    scales = np.where(np.arange(SERIES) < 10, np.nan, 1.0)
    spoilt = off(0.5, 2)
    spoilt[0].mean[:10] = 1e9
    assert shares(scales, plain=off(1.0, 1), other=spoilt)[1] > 0.6


def test_a_mixture_never_loses_to_the_simple_tier_on_what_was_held_back() -> None:
    plain = off(1.0, 1)
    worse = [Held(20, plain[0].mean + 0.2 * (off(1.0, 2)[0].mean - ACTUAL), ACTUAL)]
    assert shares(plain=plain, other=worse) == pytest.approx([1.0, 0.0], abs=0.1)
