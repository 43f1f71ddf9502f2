"""What probabilities really meant: the levels of a family that held what was wanted.

Where past records lay in their distributions (the probability integral transform, in the form for
counts of Czado, Gneiting and Held 2009: a count's probability is spread evenly over its step) is
pooled over forecasts of about the same size. The level below which a tenth of them lay is the level
to ask the family for when P10 is wanted.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.intervals.family import Place

TAIL = (1e-5, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3)
GRID = np.array([*TAIL, *(np.arange(1, 100) / 100), *(1 - np.array(TAIL[::-1]))])
BIN_RECORDS = 400
MOST_BINS = 10
PRIOR_RECORDS = 50.0  # Records of the whole panel that each bin is blended with.
STEEP = 1e-7


@dataclass(frozen=True, slots=True)
class Recalibration:
    centres: Floats  # (bins,). Log of the forecast, ascending.
    held: Floats  # (bins, GRID.size). Share of records below each level of GRID; ascending.

    def places(self, size: Floats, levels: Floats) -> Floats:
        """Levels to ask the family for, (levels, *size.shape), for logs of forecasts."""
        table = np.array([np.interp(levels, row, GRID) for row in self.held])
        return np.stack([np.interp(size, self.centres, column) for column in table.T])

    def levels(self, size: Floats, places: Floats) -> Floats:
        """The inverse of `places`: what a level of the family means; both (records,)."""
        known = np.nan_to_num(places)
        table = np.array([np.interp(known, GRID, row) for row in self.held])
        last = self.centres.size - 1
        at = np.clip(np.searchsorted(self.centres, size) - 1, 0, max(last - 1, 0))
        above = np.minimum(at + 1, last)
        gap = np.maximum(self.centres[above] - self.centres[at], 1e-12)
        share = np.clip((size - self.centres[at]) / gap, 0.0, 1.0)
        index = np.arange(size.size)
        found = table[at, index] * (1 - share) + table[above, index] * share
        return np.where(np.isnan(places), np.nan, found)


NONE = Recalibration(np.zeros(1), GRID[np.newaxis])


def learn(size: Floats, place: Place) -> Recalibration:
    """Learns from past records: logs of their forecasts, and their places; all (records,)."""
    if not size.size:
        return NONE
    everywhere = (_held(place) * size.size + GRID * PRIOR_RECORDS) / (size.size + PRIOR_RECORDS)
    bins = int(np.clip(size.size // BIN_RECORDS, 1, MOST_BINS))
    parts = np.array_split(np.argsort(size, kind="stable"), bins)
    rows = []
    for part in parts:
        here = _held(Place(place.before[part], place.until[part]))
        rows.append((here * part.size + everywhere * PRIOR_RECORDS) / (part.size + PRIOR_RECORDS))
    centres = np.array([size[part].mean() for part in parts])
    return Recalibration(centres, np.array(rows) + STEEP * np.arange(GRID.size))


def _held(place: Place) -> Floats:
    """Share of records below each level of GRID."""
    step = np.maximum(place.until - place.before, 1e-12)[:, np.newaxis]
    inside = (GRID - place.before[:, np.newaxis]) / step
    return np.asarray(np.clip(inside, 0.0, 1.0).mean(axis=0))
