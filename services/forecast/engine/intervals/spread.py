"""How far from its forecast a period is likely to fall: the yardstick that errors are measured by.

The expected absolute error is a power law in what is known of a forecast (after Taylor's law, 1961,
for the variance of counts), fitted over all series at once, times each series' own factor, shrunk
towards 1. Being a power law, it is the same whatever unit sales are counted in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats

PRIOR = np.array([-0.2, 0.7, 0.5, 0.2, 0.0, 0.2, 0.0, 0.05, 0.0, 0.0, 0.0])
"""In the order of `features.NAMES`: an error grows less than its forecast, and with the step."""
RIDGE = 100.0  # Errors that the prior is worth, for features of unit variance.
OWN_PRIOR = 4.0  # Origins that "this series is like the others" is worth, if not known better.
LEAST_OWN_PRIOR, MOST_OWN_PRIOR = 0.5, 20.0
LEAST_SERIES = 30  # To know better.
LARGEST_RATIO = 10.0  # Of an error to what was expected: more counts as that much.
ROUNDS = 25
LONGEST_STEP = 1.0  # Of the logarithm of any expected error, in one round.
CLOSE = 1e-4
HALF = 0.5
NORMAL = np.sqrt(np.pi / 2)  # Standard deviation of a normal over its mean absolute deviation.


@dataclass(frozen=True, slots=True)
class Spread:
    coefficients: Floats  # (features,).
    own: Floats  # (series,). Each series' own factor.
    unit: float  # Units that errors are counted in.

    def deviation(self, features: Floats) -> Floats:
        """Standard deviations, (series, ahead), of (series, ahead, features); more than 0."""
        errors = expected(features, self.coefficients) * self.own[:, np.newaxis]
        found: Floats = errors * NORMAL * self.unit
        return found


def expected(features: Floats, coefficients: Floats) -> Floats:
    """Expected absolute errors, in units of a usual sale, before a series' own factor."""
    predicted: Floats = np.exp(np.clip(features @ coefficients, -30.0, 30.0))
    return predicted


def fit(features: Floats, errors: Floats) -> Floats:
    """Coefficients by gamma quasi-likelihood with a log link and a ridge towards PRIOR.

    Args:
        features: (errors, features).
        errors: (errors,). Absolute, in units of a usual sale.
    """
    if not errors.size:
        return PRIOR
    ridge = RIDGE * np.diag(features.var(axis=0) + 1e-3)
    ridge[0, 0] = 1.0
    predicted = expected(features, PRIOR)
    usual = np.log(max(float(errors.mean()), 1e-12) / float(predicted.mean()))
    prior = PRIOR + np.eye(PRIOR.size)[0] * usual * errors.size / (errors.size + RIDGE)
    coefficients: Floats = prior.copy()
    gram = np.linalg.inv(features.T @ features + ridge)
    for _ in range(ROUNDS):
        ratio = np.minimum(errors / expected(features, coefficients), LARGEST_RATIO)
        step = gram @ (features.T @ (ratio - 1.0) + ridge @ (prior - coefficients))
        furthest = float(np.abs(features @ step).max())
        coefficients = coefficients + step * min(1.0, LONGEST_STEP / max(furthest, CLOSE))
        if furthest < CLOSE:
            break
    return coefficients


def own_factors(ratios: Sequence[Floats]) -> tuple[Floats, list[Floats]]:
    """Each series' mean ratio of error to expected error, shrunk towards 1.

    How far, the panel says: ratios of a series are trusted as much as those of one origin predict
    those of another (empirical Bayes). Errors of one origin hang together and count as one.

    Args:
        ratios: of each past origin, (series, ahead), NaN where nothing is known.

    Returns:
        The factors (series,), and for each origin the factors without that origin's errors: what
        would have been known of the series there.
    """
    counts = np.array([(~np.isnan(each)).sum(axis=1) for each in ratios])
    totals = np.array([np.nansum(np.minimum(each, LARGEST_RATIO), axis=1) for each in ratios])
    means = totals / np.maximum(counts, 1)
    weights = counts / np.maximum([[each.shape[1]] for each in ratios], 1)
    prior = _own_prior(means, weights)
    total, weight = (means * weights).sum(axis=0), weights.sum(axis=0)
    apart = [
        (prior + total - mean * share) / (prior + weight - share)
        for mean, share in zip(means, weights, strict=True)
    ]
    return (prior + total) / (prior + weight), apart


def _own_prior(means: Floats, weights: Floats) -> float:
    """Variance of mean ratios that is not the series' own, over that which is; in origins."""
    own, all_of, pairs = 0.0, 0.0, 0
    for first in range(len(means)):
        for second in range(first):
            both = (weights[first] > HALF) & (weights[second] > HALF)
            if both.sum() >= LEAST_SERIES:
                table = np.cov(means[first, both], means[second, both])
                own, all_of, pairs = own + table[0, 1], all_of + np.trace(table) / 2, pairs + 1
    if not pairs or own <= 0:
        return MOST_OWN_PRIOR if pairs else OWN_PRIOR
    return float(np.clip((all_of - own) / own, LEAST_OWN_PRIOR, MOST_OWN_PRIOR))
