"""What probabilities really meant: the levels of a family that held what was wanted.

Where past records lay in their distributions (the probability integral transform, in the form for
counts of Czado, Gneiting and Held 2009: a count's probability is spread evenly over its step) is
pooled over forecasts of about the same size. The level below which a tenth of them lay is the level
to ask the family for when P10 is wanted.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.intervals.family import Place

TAIL = (1e-5, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3)
GRID = np.array([*TAIL, *(np.arange(1, 100) / 100), *(1 - np.array(TAIL[::-1]))])
BIN_RECORDS = 400
MOST_BINS = 10
PRIOR_RECORDS = 50.0  # Records of the whole panel that each bin is blended with.
LEAST_APART = 2 * BIN_RECORDS
LEAST_ORIGINS = 2  # For each to be told by others.
LEAST_STEP = 1e-6  # Of probability that a record fills.
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
        low, high, share = _between(self.centres, size)
        left, right, along = _between(GRID, np.nan_to_num(places))
        lower = self.held[low, left] * (1 - along) + self.held[low, right] * along
        upper = self.held[high, left] * (1 - along) + self.held[high, right] * along
        return np.where(np.isnan(places), np.nan, lower * (1 - share) + upper * share)


def _between(points: Floats, values: Floats) -> tuple[Integers, Integers, Floats]:
    """The points, ascending, below and above each value; and how far it is from the one below."""
    last = points.size - 1
    low = np.clip(np.searchsorted(points, values) - 1, 0, max(last - 1, 0))
    high = np.minimum(low + 1, last)
    gap = np.maximum(points[high] - points[low], 1e-12)
    return low, high, np.clip((values - points[low]) / gap, 0.0, 1.0)


NONE = Recalibration(np.zeros(1), GRID[np.newaxis])


@dataclass(frozen=True, slots=True)
class Split:
    """One recalibration for usual plans and one for unusual ones, such as promotions."""

    usual: Recalibration
    unusual: Recalibration

    def places(self, size: Floats, levels: Floats, apart: Booleans) -> Floats:
        """As of a `Recalibration`; ``apart`` says which forecasts have an unusual plan."""
        either = (each.places(size, levels) for each in (self.unusual, self.usual))
        return np.where(apart, *either)

    def levels(self, size: Floats, places: Floats, apart: Booleans) -> Floats:
        either = (each.levels(size, places) for each in (self.unusual, self.usual))
        return np.where(apart, *either)


def learn_split(size: Floats, place: Place, origin: Integers, apart: Booleans) -> Split:
    """Learns from usual and unusual records apart where there are enough of both."""

    def of(kept: Booleans) -> Recalibration:
        part = Place(place.before[kept], place.until[kept])
        return learn(size[kept], part, origin[kept])

    if min(apart.sum(), (~apart).sum()) < LEAST_APART:
        together = of(np.ones(size.size, dtype=np.bool_))
        return Split(together, together)
    return Split(of(~apart), of(apart))


def learn(size: Floats, place: Place, origin: Integers) -> Recalibration:
    """Learns from past records: logs of their forecasts, their places, and origins; all (records,).

    What one origin would have been told by the others is compared with what happened there, and
    the difference is corrected too: all series of an origin share its luck, and three origins show
    less of what may come than their many records seem to.
    """
    if not size.size:
        return NONE
    bins = int(np.clip(size.size // BIN_RECORDS, 1, MOST_BINS))
    parts = np.array_split(np.argsort(size, kind="stable"), bins)
    centres = np.array([size[part].mean() for part in parts])
    origins = np.unique(origin)
    sums = np.zeros((origins.size, bins, GRID.size))
    counts = np.zeros((origins.size, bins, 1))
    for row, part in enumerate(parts):
        for at, each in enumerate(origins.tolist()):
            here = part[origin[part] == each]
            sums[at, row] = _below(Place(place.before[here], place.until[here]))
            counts[at, row] = here.size
    pooled = _blended(centres, sums.sum(axis=0), counts.sum(axis=0))
    if origins.size < LEAST_ORIGINS:
        return pooled
    seen = np.zeros(GRID.size)
    for at, each in enumerate(origins.tolist()):
        here = origin == each
        others = _blended(centres, sums.sum(axis=0) - sums[at], counts.sum(axis=0) - counts[at])
        before, until = (others.levels(size[here], ends[here]) for ends in place)
        seen += _below(Place(before, until))
    fresh = _ascending(seen / size.size)
    return Recalibration(
        centres, _ascending(np.array([np.interp(row, GRID, fresh) for row in pooled.held]))
    )


def _blended(centres: Floats, sums: Floats, counts: Floats) -> Recalibration:
    """Each bin with a little of the whole panel, and that with a little of the bare family."""
    prior = PRIOR_RECORDS
    everywhere = (sums.sum(axis=0) + GRID * prior) / (counts.sum() + prior)
    return Recalibration(centres, _ascending((sums + everywhere * prior) / (counts + prior)))


def _ascending(held: Floats) -> Floats:
    """With a slope that can be inverted."""
    found: Floats = np.maximum.accumulate(held, axis=-1) + STEEP * np.arange(GRID.size)
    return found


def _below(place: Place) -> Floats:
    """Records below each level of GRID, each spread evenly from `before` to `until`."""
    slope = 1.0 / np.maximum(place.until - place.before, LEAST_STEP)
    found = np.zeros(GRID.size)
    for end, sign in ((place.before, 1.0), (place.before + 1.0 / slope, -1.0)):
        at = np.searchsorted(GRID, end, side="right")
        rise = np.cumsum(np.bincount(at, slope, GRID.size + 1)[:-1])
        start = np.cumsum(np.bincount(at, slope * end, GRID.size + 1)[:-1])
        found += sign * (GRID * rise - start)
    return np.maximum(found, 0.0)
