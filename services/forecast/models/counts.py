"""Quantiles of counts with a given mean, for when no residuals are at hand."""

import math
from statistics import NormalDist

import numpy as np

from services.forecast.panel import Floats

EXACT_MEAN_UNITS = 100.0
"""Up to this mean, probabilities are summed count by count; above, a cube root is normal."""


def quantiles(mean: Floats, dispersion: float, levels: tuple[float, ...]) -> Floats:
    """Quantiles of a negative binomial, (levels, *mean.shape).

    Its variance is mean + dispersion x mean^2, so that a dispersion of 0 is Poisson. Small means
    are exact. Large ones take the Gamma with the same mean and variance, by the cube root of Wilson
    and Hilferty (1931).

    Args:
        mean: units, any shape; finite and not negative.
        dispersion: not negative.
        levels: ascending, between 0 and 1.
    """
    flat = mean.ravel()
    small = flat <= EXACT_MEAN_UNITS
    found = np.zeros((len(levels), flat.size))
    found[:, small] = _summed(flat[small], dispersion, levels)
    found[:, ~small] = _wilson_hilferty(flat[~small], dispersion, levels)
    return found.reshape(len(levels), *mean.shape)


def _summed(mean: Floats, dispersion: float, levels: tuple[float, ...]) -> Floats:
    found = np.zeros((len(levels), mean.size))
    if not mean.size:
        return found
    # From P(0) upwards: P(n + 1) / P(n) = mean (1 + n dispersion) / (n + 1) / spread.
    spread = 1.0 + dispersion * mean
    logs = np.log(spread) / dispersion if dispersion > 0 else mean
    chance = np.exp(-logs)
    below = chance.copy()
    count = 0
    limit = _limit(float(mean.max()), dispersion)
    while count < limit and (below < levels[-1]).any():
        for row, level in enumerate(levels):
            found[row] += below < level
        chance = chance * mean * (1.0 + count * dispersion) / spread / (count + 1)
        below += chance
        count += 1
    return found


def _limit(mean: float, dispersion: float) -> int:
    """A count that no quantile below 99 % exceeds by far: Chebyshev's bound, so that sums end."""
    return math.ceil(mean + 10 * math.sqrt(mean + dispersion * mean**2)) + 10


def _wilson_hilferty(mean: Floats, dispersion: float, levels: tuple[float, ...]) -> Floats:
    shape = mean / (1.0 + dispersion * mean)
    ninth = 1.0 / (9.0 * shape)
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])[:, np.newaxis]
    cube = np.maximum(1 - ninth + normal * np.sqrt(ninth), 0.0) ** 3
    # With P(a, x) <= x^a / gamma(a + 1) no quantile is lower than this, whatever the root says.
    gamma = np.array([math.lgamma(each + 1) for each in shape.tolist()])
    floor = np.exp((np.log(levels)[:, np.newaxis] + gamma) / shape) / shape
    found: Floats = mean * np.maximum(cube, floor)
    return found
