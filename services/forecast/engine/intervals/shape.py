"""The distribution of scaled errors, pooled over forecasts of about the same size."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats

GRID = np.concatenate([[0.001, 0.002, 0.005], np.arange(1, 100) / 100, [0.995, 0.998, 0.999]])
BIN_ERRORS = 300
MOST_BINS = 12


@dataclass(frozen=True, slots=True)
class Shape:
    centres: Floats  # (bins,). Log of the forecasts, ascending.
    scaled: Floats  # (bins, GRID.size). Ascending along the grid.

    def quantiles(self, size: Floats, levels: Floats) -> Floats:
        """Quantiles of scaled errors, (levels, *size.shape), interpolated between the bins."""
        at = np.array([[np.interp(level, GRID, row) for row in self.scaled] for level in levels])
        return np.stack([np.interp(size, self.centres, row) for row in at])


def pool(size: Floats, scaled: Floats) -> Shape:
    """Empirical quantiles of the ``scaled`` errors in bins of ``size``; both (errors,)."""
    bins = int(np.clip(size.size // BIN_ERRORS, 1, MOST_BINS))
    parts = np.array_split(np.argsort(size, kind="stable"), bins)
    centres = np.array([size[part].mean() for part in parts])
    return Shape(centres, np.array([np.quantile(scaled[part], GRID) for part in parts]))
