"""Sums over windows of time, the first axis. Windows are cut off at both ends."""

import numpy as np

from services.forecast.engine.arrays import Floats


def sums(values: Floats, before: int, after: int) -> Floats:
    """Sums from ``before`` periods earlier to ``after`` periods later, both included."""
    periods = values.shape[0]
    totals = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    at = np.arange(periods)
    # Rounding of the running total must not make a sum of nothing negative.
    found: Floats = np.maximum(
        totals[np.minimum(at + after + 1, periods)] - totals[np.maximum(at - before, 0)], 0.0
    )
    return found


def centred(values: Floats, season: int) -> Floats:
    """Sums over one season around each period, each phase counted alike (2 x m for even m)."""
    half = season // 2
    if season % 2:
        return sums(values, half, half)
    return 0.5 * (sums(values, half, half - 1) + sums(values, half - 1, half))


def triangular(values: Floats, width: int) -> Floats:
    """Sums with weights that fall to both sides; a width of 0 leaves the values as they are."""
    if width == 0:
        return values
    first, second = width // 2, width - width // 2
    return sums(sums(values, first, first), second, second)
