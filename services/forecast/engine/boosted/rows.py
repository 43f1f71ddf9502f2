"""Which forecasts of the past to learn from: one row is a series, an origin and a step ahead."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Integers


@dataclass(frozen=True, slots=True)
class Rows:
    """Each (rows,), sorted by series."""

    series: Integers
    origin: Integers  # Columns seen.
    step: Integers  # From 1.

    @property
    def column(self) -> Integers:
        """The column that is forecast."""
        return self.origin + self.step - 1

    def take(self, chosen: Integers | Booleans) -> "Rows":
        return Rows(self.series[chosen], self.origin[chosen], self.step[chosen])


def every(series: slice, origins: Integers, ahead: int) -> Rows:
    """All steps from all ``origins`` of the series of a slice."""
    found = np.meshgrid(
        np.arange(series.start, series.stop), origins, np.arange(1, ahead + 1), indexing="ij"
    )
    return Rows(*(axis.ravel() for axis in found))
