"""Accuracy of forecasts against what happened. Every figure is NaN where it is not defined.

Arrays are (series, periods), time to the right; NaN where nothing was recorded, which no figure
counts. RMSSE and its scale follow the M5 competition (Makridakis et al. 2022), MASE Hyndman and
Koehler (2006), sMAPE the M3 competition; SPL is the mean pinball loss of P10, P50 and P90 over the
scale of MASE.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVELS = (0.1, 0.5, 0.9)


class Scales(NamedTuple):
    """Steps from one record to the next, from each series' first sale on; NaN where all are 0."""

    root_mean_square: Floats  # (series,)
    mean_absolute: Floats  # (series,)


def scales(past: Floats) -> Scales:
    """Scales of RMSSE, and of MASE and SPL, from what was known at the cutoff."""
    steps = _steps(past)
    return Scales(_positive(np.sqrt(_row_means(steps**2))), _positive(_row_means(np.abs(steps))))


def seasonal_scale(past: Floats, season: int) -> Floats:
    """(series,). Mean absolute change over ``season`` periods: the scale of a seasonal MASE."""
    return _positive(_row_means(np.abs(past[:, season:] - past[:, :-season])))


def _steps(past: Floats) -> Floats:
    """Each record less the one before it, from a series' first sale on; NaN elsewhere."""
    columns = np.arange(past.shape[1])
    there = ~np.isnan(past)
    first = np.where((past != 0) & there, columns, past.shape[1]).min(axis=1, initial=columns.size)
    first = np.where(first == columns.size, 0, first)
    latest = np.maximum.accumulate(np.where(there, columns, -1), axis=1)
    before = np.hstack([np.full((len(past), 1), -1), latest[:, :-1]])
    earlier = np.take_along_axis(past, np.maximum(before, 0), axis=1)
    return np.where(there & (before >= first[:, np.newaxis]), past - earlier, np.nan)


def rmsse(actual: Floats, mean: Floats, scale: Scales) -> float:
    """Mean over series of the root mean squared scaled error."""
    return _mean(series_rmsse(actual, mean, scale))


def series_rmsse(actual: Floats, mean: Floats, scale: Scales) -> Floats:
    """(series,). The root mean squared error over the scale."""
    return np.asarray(np.sqrt(_row_means((actual - mean) ** 2)) / scale.root_mean_square)


def wrmsse(actual: Floats, mean: Floats, scale: Scales, weights: Floats) -> float:
    """RMSSE weighted by ``weights``, (series,), such as revenue. A series without one counts 0."""
    total = float(weights.sum())
    if not total > 0:
        return float("nan")
    return float(np.nansum(series_rmsse(actual, mean, scale) * weights) / total)


def mase(actual: Floats, mean: Floats, scale: Floats) -> float:
    """Mean over series of the mean absolute error over ``scale``, (series,)."""
    return _mean(_row_means(np.abs(actual - mean)) / scale)


def wmape(actual: Floats, mean: Floats) -> float:
    """Sum of absolute errors over the sum of what happened."""
    return _ratio(np.nansum(np.abs(actual - mean)), np.nansum(np.abs(actual)))


def bias(actual: Floats, mean: Floats) -> float:
    """Sum of what was forecast too much over the sum of what happened."""
    return _ratio(np.nansum(mean - actual), np.nansum(actual))


def smape(actual: Floats, mean: Floats) -> float:
    """Mean symmetric absolute percentage error of all periods, 0 to 200. Two zeros agree."""
    size = np.abs(actual) + np.abs(mean)
    return _mean(200 * np.abs(actual - mean) / np.where(size > 0, size, 1.0))


def pinball(actual: Floats, quantile: Floats, level: float) -> Floats:
    """The loss whose expectation the quantile of ``level`` minimises."""
    error = actual - quantile
    return np.maximum(level * error, (level - 1) * error)


def spl(actual: Floats, quantiles: Floats, scale: Scales) -> float:
    """Mean scaled pinball loss; ``quantiles`` is (3, series, periods), in the order of LEVELS."""
    losses = [pinball(actual, q, level) for q, level in zip(quantiles, LEVELS, strict=True)]
    return _mean(_row_means(np.mean(losses, axis=0)) / scale.mean_absolute)


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of what happened that lies between ``low`` and ``high``, both included."""
    counted = ~np.isnan(actual)
    return _ratio(((actual >= low) & (actual <= high) & counted).sum(), counted.sum())


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def _row_means(values: Floats) -> Floats:
    """(series,). The mean of what is not NaN; NaN where all is."""
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    total = np.where(there, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mean(values: Floats) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
