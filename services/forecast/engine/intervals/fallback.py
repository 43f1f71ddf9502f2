"""Quantiles for panels that leave nothing to hold back: a gamma's, with the past's dispersion."""

import numpy as np
from scipy import special

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel

PRIOR_DISPERSION = 0.5  # Variance = dispersion x mean^2, where the past says nothing.
PRIOR_SERIES = 3.0
LARGEST_DISPERSION = 25.0


def without_errors(panel: Panel, mean: Floats, levels: Floats) -> Floats:
    """Quantiles of a gamma distribution, (levels, series, ahead); 0 where the mean is.

    Args:
        panel: the past, whose pooled squared first differences say how much sales vary.
        mean: (series, ahead).
        levels: (levels,).
    """
    form = 1.0 / dispersion(panel)
    at = special.gammaincinv(form, levels) / form
    found: Floats = at[:, np.newaxis, np.newaxis] * mean
    return found


def dispersion(panel: Panel) -> float:
    """Median over series of variance / mean^2, shrunk to a prior that three series outweigh."""
    steps = np.diff(panel.units, axis=1)
    known = ~np.isnan(steps)
    seen = ~np.isnan(panel.units)
    count = known.sum(axis=1)
    level = np.where(seen, panel.units, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    variance = np.where(known, steps**2, 0.0).sum(axis=1) / np.maximum(count, 1) / 2.0
    usable = (count > 1) & (level > 0)
    own = variance[usable] / level[usable] ** 2
    middle = float(np.median(own)) if own.size else PRIOR_DISPERSION
    pooled = (PRIOR_SERIES * PRIOR_DISPERSION + own.size * middle) / (PRIOR_SERIES + own.size)
    return float(np.clip(pooled, 1e-4, LARGEST_DISPERSION))
