"""How much the units of a period scatter around the rate of their series."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats

ROUNDS = 8
LEAST_PERIODS = 3.0
LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class Scatter:
    """Variance of a period's units: linear x mean + square x mean^2.

    A square of 0 and a linear of 1 is Poisson; the square is what promotions and weeks do to
    sellers of any size.
    """

    linear: float
    square: float
    pooled: float  # Variance over mean of all series together: what big sellers scatter by.

    def spread(self, mean: Floats) -> Floats:
        """Variance over mean."""
        return self.linear + self.square * mean


def scatter(units: Floats, exposed: Floats) -> Scatter:
    """Fits both coefficients to the sample variances of all series.

    Args:
        units: (series, periods), 0 where not exposed.
        exposed: (series, periods). Share of each period that was observed.
    """
    count = exposed.sum(axis=1)
    mean = units.sum(axis=1) / np.maximum(count, 1e-12)
    residual = np.where(exposed > 0, units - mean[:, np.newaxis] * exposed, 0.0)
    usable = (count >= LEAST_PERIODS) & (mean > 0)
    if not usable.any():
        return Scatter(1.0, 0.0, 1.0)
    count, mean = count[usable], mean[usable]
    ratio = (residual[usable] ** 2).sum(axis=1) / (count - 1) / mean
    pooled = max(float(np.average(ratio, weights=mean * (count - 1))), LEAST)
    linear, square = max(float(np.average(ratio, weights=count)), LEAST), 0.0
    for _ in range(ROUNDS):
        # The sample variance scatters with the variance itself.
        weight = (count - 1) / (linear + square * mean) ** 2
        centre = np.average(mean, weights=weight)
        moved = mean - centre
        slope = (weight * moved * ratio).sum() / max((weight * moved**2).sum(), 1e-12)
        square = float(np.clip(slope, 0.0, np.average(ratio, weights=weight) / centre))
        linear = max(float(np.average(ratio, weights=weight) - square * centre), LEAST)
    return Scatter(linear, square, pooled)
