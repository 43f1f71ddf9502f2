"""What a forecast from sales alone may learn from, with time down the rows."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel


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
            weight *= np.clip(share, 0.0, 1.0)
        units = np.where(weight > 0, units, 0.0)
        # Before its first sale an article was not yet for sale, as far as anyone can tell.
        begun = np.cumsum(units, axis=0) > 0
        return Observed(units, np.where(begun | ~begun[-1:], weight, 0.0))

    def until(self, origin: int) -> "Observed":
        return Observed(self.units[:origin], self.weight[:origin])
