"""What a forecast from sales alone may learn from, with time down the rows."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.panel import Panel

LEAST_SHARE = 0.1  # Of a period on the shelf: to divide by less would make sales of noise.


@dataclass(frozen=True, slots=True)
class Observed:
    """Units and how much of each period they stand for; both (periods, series).

    Time comes first here, because sums over time are then products of small matrices with these.
    """

    units: Floats  # 0 where nothing was observed.
    weight: Floats  # Share of the period that was observed: 0 teaches nothing, 1 is a whole period.

    @staticmethod
    def of(panel: Panel) -> "Observed":
        """Drops what teaches nothing: gaps, empty shelves, and zeros before the first sale."""
        units = np.ascontiguousarray(panel.units.T)
        known = np.isfinite(units)
        weight = known.astype(np.float64)
        if panel.exposure is not None:
            share = np.nan_to_num(panel.exposure.T, nan=1.0)
            weight *= np.where(share < LEAST_SHARE, 0.0, np.minimum(share, 1.0))
        units = np.where(weight > 0, units, 0.0)
        # Before its first sale an article was not yet for sale, as far as anyone can tell.
        begun = np.cumsum(units, axis=0) > 0
        return Observed(units, np.where(begun | ~begun[-1:], weight, 0.0))

    def highest(self) -> Floats:
        """(series,). The highest rate of any period."""
        rates = self.units / np.where(self.weight > 0, self.weight, 1.0)
        found: Floats = rates.max(axis=0)
        return found

    def positive(self) -> Booleans:
        """(series,). Whether every observation is above 0."""
        found: Booleans = ((self.units > 0) | (self.weight == 0)).all(axis=0)
        return found

    def latest(self, periods: int) -> "Observed":
        return Observed(self.units[-periods:], self.weight[-periods:])

    def capped(self, most: float, profile: Floats) -> "Observed":
        """No period above ``most`` times what a period with sales sells on average.

        A single large order then moves a level less than it would move a mean.

        Args:
            most: at least 1.
            profile: (periods, series or 1). Multipliers that sales are expected to follow.
        """
        expected = self.weight * profile
        sold = np.where(self.units > 0, expected, 0.0).sum(axis=0)
        size = self.units.sum(axis=0) / np.maximum(sold, 1e-12)
        return Observed(np.minimum(self.units, most * size * expected), self.weight)
