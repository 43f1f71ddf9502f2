"""How far from its forecast a period is likely to fall: the yardstick that errors are divided by.

The expected absolute error is a power law in what is known of a forecast (Taylor's law, 1961, in
the size of the forecast), fitted over all series at once, times each series' own factor, shrunk
towards 1. Being a power law, it is the same whatever unit the sales are counted in.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel

FEATURES = 6
ROUNDS = 12
RIDGE = 3.0  # Errors that the prior is worth.
LARGEST_RATIO = 10.0  # Of an error to what was expected: more counts as that much.
OWN_PRIOR = 24.0  # Errors that "this series is like the others" is worth.
TINY = 1e-9
PRIOR = np.array([-0.3, 0.5, 0.3, 0.2, 0.05, 0.0])
"""In the order of `describe`: an error grows less than its forecast, and with the step ahead."""


def describe(panel: Panel, mean: Floats, floor: float) -> Floats:
    """What the spread of each forecast depends on, (series, ahead, FEATURES).

    Args:
        panel: what the forecast had seen.
        mean: (series, ahead).
        floor: what `least` said of the panel that was learned from.
    """
    level, noise, zeros = _history(panel)
    shape = mean.shape
    columns = [
        np.ones(shape),
        np.log(np.maximum(mean, floor)),
        np.broadcast_to(np.log(np.maximum(noise, floor))[:, np.newaxis], shape),
        np.broadcast_to(np.log(np.maximum(level, floor))[:, np.newaxis], shape),
        np.broadcast_to(np.log(np.arange(1, shape[1] + 1)), shape),
        np.broadcast_to(zeros[:, np.newaxis], shape),
    ]
    return np.stack(columns, axis=-1)


def least(panel: Panel) -> float:
    """What counts as next to nothing on this panel: below it, forecasts do not differ."""
    sold = panel.units[panel.units > 0]
    return 1e-3 * float(np.median(sold)) if sold.size else 1e-3


def _history(panel: Panel) -> tuple[Floats, Floats, Floats]:
    """Level, mean absolute first difference, and share of zeros of the past; each (series,)."""
    recent = panel.units[:, -2 * panel.period.season :]
    seen = ~np.isnan(recent)
    count = np.maximum(seen.sum(axis=1), 1)
    level = np.where(seen, recent, 0.0).sum(axis=1) / count
    zeros = (recent == 0).sum(axis=1) / count
    steps = np.abs(np.diff(recent, axis=1))
    known = ~np.isnan(steps)
    typical = np.where(known, steps, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return level, np.where(known.any(axis=1), typical, level), zeros


@dataclass(frozen=True, slots=True)
class Spread:
    coefficients: Floats  # (FEATURES,).
    own: Floats  # (series,). Each series' own factor.
    floor: float  # Units that count as next to nothing.

    def scale(self, features: Floats) -> Floats:
        """Expected absolute errors, (series, ahead); more than 0."""
        return expected(features, self.coefficients) * self.own[:, np.newaxis]


def expected(features: Floats, coefficients: Floats) -> Floats:
    """Expected absolute errors before a series' own factor."""
    predicted: Floats = np.exp(np.clip(features @ coefficients, -25.0, 25.0))
    return predicted


def fit(features: Floats, errors: Floats) -> Floats:
    """Coefficients by gamma quasi-likelihood with a log link, with a ridge towards PRIOR.

    Args:
        features: (errors, FEATURES).
        errors: (errors,). Absolute.
    """
    ridge = RIDGE * np.diag(np.maximum(features.var(axis=0), TINY))
    ridge[0, 0] = TINY
    gram = features.T @ features + ridge
    coefficients = PRIOR.copy()
    coefficients[0] += _offset(features, errors, coefficients)
    for _ in range(ROUNDS):
        ratio = errors / np.maximum(expected(features, coefficients), TINY)
        score = features.T @ (np.minimum(ratio, LARGEST_RATIO) - 1.0)
        coefficients = coefficients + np.linalg.solve(gram, score + ridge @ (PRIOR - coefficients))
    return coefficients


def _offset(features: Floats, errors: Floats, coefficients: Floats) -> float:
    total = float(expected(features, coefficients).sum())
    return float(np.log(max(float(errors.sum()), TINY) / max(total, TINY)))


def own_factors(ratios: Floats) -> Floats:
    """Each series' mean ratio of error to expected error, shrunk to 1; (series,) of (series, n)."""
    seen = ~np.isnan(ratios)
    total = np.where(seen, np.minimum(ratios, LARGEST_RATIO), 0.0).sum(axis=1)
    shrunk: Floats = (OWN_PRIOR + total) / (OWN_PRIOR + seen.sum(axis=1))
    return shrunk
