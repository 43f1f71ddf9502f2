"""Growth net of the season, with its uncertainty."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.trends.season import Season

SPREAD_WINDOWS = 4  # From which the scatter of weeks is read.
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
    looked = slice(max(stop - SPREAD_WINDOWS * window, 0), stop)
    spread = dispersion(demand[:, looked], expected[:, looked])
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


def dispersion(demand: Floats, expected: Floats) -> Floats:
    """(groups,). Variance over mean of a step's demand around its rate, pooled a little.

    From differences of neighbouring steps, in which slow growth hardly shows.
    """
    rate = np.nansum(demand, axis=1) / np.maximum(expected.sum(axis=1), 1e-12)
    exposed = np.where(expected > 0, expected, np.nan)
    with np.errstate(invalid="ignore"):
        steps = np.diff(demand / exposed, axis=1)
        noise = 1 / exposed[:, 1:] + 1 / exposed[:, :-1]
    # Given the rate r, a ratio demand / expected has the variance spread x r / expected.
    terms = steps**2 / (noise * np.maximum(rate, 1e-12)[:, np.newaxis])
    freedom = np.isfinite(terms).sum(axis=1)
    chi = np.nansum(terms, axis=1)
    usable = (freedom > 0) & (rate > 0)
    own = chi[usable] / freedom[usable]
    typical = float(np.median(own)) if own.size else 1.0
    pooled: Floats = (chi + PRIOR_STEPS * typical) / (freedom + PRIOR_STEPS)
    return np.maximum(pooled, 1e-12)


def _signal(growth: Floats, noise: Floats) -> float:
    """Variance of true growth between groups, with a prior for panels of few or noisy ones."""
    between = 0.0
    if growth.size:
        weight = 1 / (noise + PRIOR_VARIANCE)
        between = max(float(np.average(growth**2 - noise, weights=weight)), 0.0)
    return (growth.size * between + PRIOR_GROUPS * PRIOR_VARIANCE) / (growth.size + PRIOR_GROUPS)
