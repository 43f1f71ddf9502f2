"""Accuracy of forecasts against what happened. Every figure is NaN where it is not defined.

RMSSE and its scale follow the M5 competition (Makridakis et al. 2022); SPL is the mean pinball
loss of P10, P50 and P90 over the scale of MASE (Hyndman and Koehler 2006).
"""

from typing import NamedTuple

import numpy as np

from services.forecast.panel import Floats

LEVELS = (0.1, 0.5, 0.9)


class Scales(NamedTuple):
    """First differences of each series from its first sale on, (series,); NaN where all are 0."""

    root_mean_square: Floats
    mean_absolute: Floats


def scales(units: Floats) -> Scales:
    """Scales of RMSSE and MASE from the training part, (days, series)."""
    days = units.shape[0]
    sold = units > 0
    first = np.where(sold.any(axis=0), sold.argmax(axis=0), 0)
    steps = np.diff(units, axis=0)
    counted = np.arange(1, days)[:, np.newaxis] > first
    count = np.maximum(counted.sum(axis=0), 1)
    square = np.where(counted, steps**2, 0.0).sum(axis=0) / count
    absolute = np.where(counted, np.abs(steps), 0.0).sum(axis=0) / count
    return Scales(_positive(np.sqrt(square)), _positive(absolute))


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def rmsse(actual: Floats, mean: Floats, scale: Scales) -> float:
    """Mean over series of the root mean squared scaled error. Shapes (days, series)."""
    error = np.sqrt(((actual - mean) ** 2).mean(axis=0)) / scale.root_mean_square
    return _mean(error)


def wape(actual: Floats, mean: Floats) -> float:
    """Sum of absolute errors over the sum of what happened."""
    total = float(actual.sum())
    return float(np.abs(actual - mean).sum()) / total if total > 0 else float("nan")


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of what happened that lies between ``low`` and ``high``, both included."""
    return float(((actual >= low) & (actual <= high)).mean()) if actual.size else float("nan")


def pinball(actual: Floats, quantile: Floats, level: float) -> Floats:
    """The loss whose expectation the quantile of ``level`` minimises."""
    error = actual - quantile
    return np.maximum(level * error, (level - 1) * error)


def spl(actual: Floats, quantiles: Floats, scale: Scales) -> float:
    """Mean scaled pinball loss; ``quantiles`` is (3, days, series), in the order of LEVELS."""
    losses = [pinball(actual, q, level) for q, level in zip(quantiles, LEVELS, strict=True)]
    return _mean(np.mean(losses, axis=(0, 1)) / scale.mean_absolute)


def _mean(values: Floats) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else float("nan")
