"""Growth net of the season, with its uncertainty."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.trends.season import Season

PRIOR_STEPS = 8.0
PRIOR_GROUPS = 20.0
PRIOR_VARIANCE = 0.04  # Of growth over one window, in logs.


@dataclass(frozen=True, slots=True)
class Momentum:
    """Arrays of shape (groups,), in logs."""

    raw: Floats
    shrunk: Floats  # Towards no growth, the more the noisier it is.
    deviation: Floats  # Standard deviation of the posterior of `shrunk`.


def momentum(demand: Floats, seasonal: Season, stop: int, window: int) -> Momentum:
    """Growth from the ``window`` steps before the last ``window`` to those, both before ``stop``.

    Demand scatters like counts with an overdispersion that each group has (quasi-Poisson), so that
    fractions and thousands are treated alike. The variance of true growth between groups is what
    the scatter does not explain (empirical Bayes, method of moments).

    Args:
        demand: (groups, steps). NaN where unknown.
        seasonal: of the groups, reaching at least to ``stop``.
        stop: the first step that is not looked at.
        window: steps in each of both windows.
    """
    expected = np.where(np.isnan(demand), 0.0, seasonal.until(demand.shape[1]))
    recent, previous = (
        slice(max(stop - window, 0), stop),
        slice(max(stop - 2 * window, 0), max(stop - window, 0)),
    )
    spread = dispersion(demand, expected, slice(max(stop - 4 * window, 0), stop), window)
    rates, variance = [], []
    for part in (previous, recent):
        sold, exposed = np.nansum(demand[:, part], axis=1), expected[:, part].sum(axis=1)
        pseudo = 0.5 * spread
        rates.append(np.log((sold + pseudo) / np.maximum(exposed, 1e-12)))
        variance.append(np.where(exposed > 0, spread / np.maximum(sold + pseudo, 1e-12), np.inf))
    known = np.isfinite(variance[0]) & np.isfinite(variance[1]) & (spread > 0)
    raw = np.where(known, rates[1] - rates[0], 0.0)
    noise = np.where(known, variance[0] + variance[1], np.inf)
    signal = _signal(raw[known], noise[known])
    noise = noise + signal * seasonal.doubt
    trust = signal / (signal + noise)
    return Momentum(raw, raw * trust, np.sqrt(signal * (1 - trust)))


def dispersion(demand: Floats, expected: Floats, part: slice, window: int) -> Floats:
    """(groups,). Variance over mean of demand around the mean of its window, pooled a little."""
    chi, freedom, total = (np.zeros(demand.shape[0]) for _ in range(3))
    for start in range(part.stop - window, part.start - 1, -window):
        sold, exposed = demand[:, start : start + window], expected[:, start : start + window]
        lived = (exposed > 0).sum(axis=1)
        rate = np.nansum(sold, axis=1) / np.maximum(exposed.sum(axis=1), 1e-12)
        mean = rate[:, np.newaxis] * exposed
        residual = np.nan_to_num(sold) - mean
        chi += np.where(mean > 0, residual**2 / np.maximum(mean, 1e-12), 0.0).sum(axis=1)
        freedom += np.maximum(lived - 1, 0)
        total += np.nansum(sold, axis=1)
    usable = (freedom > 0) & (total > 0)
    own = np.where(usable, chi / np.maximum(freedom, 1.0), np.nan)
    typical = float(np.nanmedian(own)) if usable.any() else 1.0
    pooled: Floats = (np.nan_to_num(chi) + PRIOR_STEPS * typical) / (freedom + PRIOR_STEPS)
    return np.maximum(pooled, 1e-12)


def _signal(growth: Floats, noise: Floats) -> float:
    """Variance of true growth between groups, with a prior for panels of few or noisy ones."""
    between = 0.0
    if growth.size:
        weight = 1 / (noise + PRIOR_VARIANCE)
        between = max(float(np.average(growth**2 - noise, weights=weight)), 0.0)
    return (growth.size * between + PRIOR_GROUPS * PRIOR_VARIANCE) / (growth.size + PRIOR_GROUPS)
