"""Past origins: what was known there, what was expected, and what happened."""

from dataclasses import dataclass, fields

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.held import Held
from services.forecast.engine.intervals import family, features, recalibration, spread
from services.forecast.engine.intervals.boosted import moved
from services.forecast.engine.intervals.family import Place
from services.forecast.engine.intervals.past import stand_in
from services.forecast.engine.panel import Panel

LEAST_RECORDS = 100
TINY = 1e-6  # Of a usual sale.
LEAST_DEVIATION = 1e-3  # Of the mean.


@dataclass(frozen=True, slots=True)
class Origin:
    """Arrays of shape (series, ahead)."""

    held: Held
    described: Floats  # (series, ahead, features).
    seen: Booleans  # Where something was recorded, and expected: elsewhere nothing is learned.
    errors: Floats  # Absolute, in units of a usual sale.

    def ratios(self, coefficients: Floats) -> Floats:
        """Errors over what the spread expects; NaN where not seen."""
        expected = spread.expected(self.described, coefficients)
        return np.where(self.seen, self.errors / expected, np.nan)


def origins_of(panel: Panel, helds: list[Held], unit: float) -> list[Origin]:
    """The past origins, and the panel's own last steps where those have few records."""
    used = [held for held in helds if held.mean.shape[1]]
    if sum(int((~np.isnan(held.actual)).sum()) for held in used) < LEAST_RECORDS:
        used = [*stand_in(panel), *used]
    found = []
    for held in used:
        before = panel.until(held.origin, held.mean.shape[1])
        described = features.describe(before, held.mean, unit)
        seen = ~np.isnan(held.actual) & (held.mean > 0)
        found.append(Origin(held, described, seen, np.abs(held.actual - held.mean) / unit))
    return found


@dataclass(frozen=True, slots=True)
class Records:
    """Past records and the distributions that they were expected from; all (records,)."""

    units: Floats
    mean: Floats
    deviation: Floats
    before: Floats  # Places, before recalibration.
    until: Floats
    apart: Booleans  # With an unusual plan.
    origin: Integers  # Ascending from 0.
    series: Integers

    @property
    def place(self) -> Place:
        return Place(self.before, self.until)

    def of(self, kept: slice | Booleans) -> "Records":
        return Records(*(getattr(self, each.name)[kept] for each in fields(self)))

    def recalibrated(self, shift: Floats) -> recalibration.Split:
        """Learned from where the records lie in distributions that are shifted."""
        place = Place(moved(self.before, -shift), moved(self.until, -shift))
        return recalibration.learn_split(np.log(self.mean), place, self.origin, self.apart)


def joined(past: list[Origin], spreads: list[spread.Spread], *, counted: bool) -> Records:
    """Records of all origins, each with what would have been known of its series' own factors."""
    floats, whole = [np.zeros((5, 0))], [np.zeros((3, 0), dtype=np.int64)]
    for number, (each, told) in enumerate(zip(past, spreads, strict=True)):
        seen = each.seen
        units, deviation = each.held.actual[seen], told.deviation(each.described)[seen]
        mean, deviation = bounded(each.held.mean[seen], deviation, told.unit)
        place = placed(units, mean, deviation, counted=counted)
        floats.append(np.stack([units, mean, deviation, *place]))
        apart = each.described[seen][:, features.UNUSUAL] > features.APART
        whole.append(np.stack([apart, np.full(units.size, number), np.nonzero(seen)[0]]))
    units, mean, deviation, before, until = np.concatenate(floats, axis=1)
    promoted, origin, series = np.concatenate(whole, axis=1)
    return Records(units, mean, deviation, before, until, promoted > 0, origin, series)


def bounded(mean: Floats, deviation: Floats, unit: float) -> tuple[Floats, Floats]:
    """Means above 0, and deviations that are not lost beside them."""
    middle = np.maximum(mean, TINY * unit)
    return middle, np.maximum(deviation, LEAST_DEVIATION * middle)


def placed(units: Floats, mean: Floats, deviation: Floats, *, counted: bool) -> Place:
    """Where records lie in their distributions."""
    place = family.place_of_amounts(units, mean, deviation, 1.0 if counted else 0.0)
    if not counted:
        return place
    single = family.one_by_one(mean, deviation)
    count = family.place_of_counts(units[single], mean[single], deviation[single])
    place.before[single], place.until[single] = count
    return place
