"""Prediction intervals from residuals of past origins, pooled over series.

Split conformal prediction (Vovk et al. 2005) on residuals that are made comparable first: each is
divided by the spread that a negative binomial of its forecast would have, times the series' own
excess. A series then needs no long history of its own: the panel lends it its shape.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.metrics import LEVELS
from services.forecast.models import counts
from services.forecast.models.tsb import State
from services.forecast.panel import Floats

EXCESS_PRIOR_DAYS = 100.0
LARGEST_EXCESS = 25.0
LEAST_RESIDUALS = 200  # For any calibration at all; with fewer, the negative binomial speaks.
BIN_RESIDUALS = 400
MOST_BINS = 8
HALF_UNIT = 0.5


@dataclass(frozen=True, slots=True)
class Spread:
    """How far from its forecast a day may fall, as learned from one-day-ahead errors."""

    dispersion: float  # Of the panel: variance = mean + dispersion x mean^2.
    excess: Floats  # (series,). The series' own standard deviation over that.

    def scale(self, mean: Floats) -> Floats:
        """The standard deviation of forecasts, (days, series)."""
        return self.excess * np.sqrt(mean + self.dispersion * mean**2)


def fit_spread(state: State) -> Spread:
    """Estimates the panel's dispersion by moments, and each series' excess shrunk towards 1."""
    # Each series counts once: sums over units would make it the dispersion of the best seller.
    weight = 1.0 / np.maximum(state.means, 1e-9)
    lived = state.means > 0
    over = float(((state.squared_errors - state.means) * weight)[lived].sum())
    under = float((state.squared_means * weight)[lived].sum())
    dispersion = max(over / under, 0.0) if under > 0 else 0.0
    expected = state.means + dispersion * state.squared_means
    ratio = state.squared_errors / np.maximum(expected, 1e-9)
    days = state.observed_days * lived
    variance = (EXCESS_PRIOR_DAYS + days * ratio) / (EXCESS_PRIOR_DAYS + days)
    return Spread(dispersion, np.clip(np.sqrt(variance), 1 / LARGEST_EXCESS, LARGEST_EXCESS))


@dataclass(frozen=True, slots=True)
class Residuals:
    """Forecasts of past origins and what happened, one entry each."""

    mean: Floats
    scale: Floats
    actual: Floats

    @staticmethod
    def of(mean: Floats, scale: Floats, actual: Floats) -> "Residuals":
        """Keeps the days on which something was expected: the others have no scale."""
        kept = (scale > 0) & np.isfinite(scale)
        return Residuals(mean[kept], scale[kept], actual[kept])

    @staticmethod
    def pooled(parts: "list[Residuals]") -> "Residuals":
        parts = [Residuals(*np.zeros((3, 0))), *parts]
        return Residuals(
            np.concatenate([part.mean for part in parts]),
            np.concatenate([part.scale for part in parts]),
            np.concatenate([part.actual for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Conformal:
    """Quantiles of scaled residuals, by size of forecast."""

    centres: Floats  # (bins,). Log of the mean forecast of each bin, ascending.
    scaled: Floats  # (3, bins). In the order of LEVELS.

    def quantiles(self, mean: Floats, scale: Floats) -> Floats:
        """P10, P50, P90 as (3, *mean.shape): not negative, never crossing; 0 where the mean is."""
        size = np.log(np.maximum(mean, 1e-12))
        at = np.stack([np.interp(size, self.centres, row) for row in self.scaled])
        return tidied(mean + at * scale, mean)


def calibrate(residuals: Residuals) -> Conformal | None:
    """Takes the empirical quantiles of each bin; None where there are too few residuals."""
    count = residuals.mean.size
    if count < LEAST_RESIDUALS:
        return None
    bins = int(np.clip(count // BIN_RESIDUALS, 1, MOST_BINS))
    order = np.argsort(residuals.mean, kind="stable")
    scaled = (residuals.actual - residuals.mean) / residuals.scale
    parts = np.array_split(order, bins)
    centres = np.array([np.log(np.maximum(residuals.mean[part], 1e-12)).mean() for part in parts])
    rows = [np.quantile(scaled[part], LEVELS, method="inverted_cdf") for part in parts]
    return Conformal(centres, np.array(rows).T)


def without_calibration(mean: Floats, spread: Spread) -> Floats:
    """Quantiles for histories too short to hold anything back: a negative binomial's."""
    return tidied(counts.quantiles(mean, spread.dispersion, LEVELS), mean)


def tidied(quantiles: Floats, mean: Floats) -> Floats:
    """Makes quantiles not negative, ascending, and 0 where nothing can sell.

    Less than half a unit is no unit: demand is counted, and a P10 of 0.02 would call every day
    without a sale a surprise.
    """
    counted = np.where(quantiles < HALF_UNIT, 0.0, quantiles)
    return np.where(mean > 0, np.maximum.accumulate(counted, axis=0), 0.0)
