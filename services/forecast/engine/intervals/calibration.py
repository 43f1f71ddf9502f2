"""Pooled conformal quantiles: learned from the errors of past origins, for any later forecast.

Split conformal prediction (Vovk et al. 2005) over a panel: a distribution around each forecast with
a spread that the panel's past errors suggest (`spread`), and levels corrected by where the past
records really lay (`recalibration`). A series needs no long history of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.held import Held
from services.forecast.engine.intervals import family, features, recalibration
from services.forecast.engine.intervals.ends import settle
from services.forecast.engine.intervals.family import Place
from services.forecast.engine.intervals.recalibration import Split
from services.forecast.engine.intervals.records import origins_of
from services.forecast.engine.intervals.spread import Spread, fit, own_factors
from services.forecast.engine.panel import Panel

TINY = 1e-6  # Of a usual sale.
LEAST_DEVIATION = 1e-3  # Of the mean.


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known about errors."""

    spread: Spread
    recalibration: Split
    counted: bool  # Whether units are whole numbers.
    records: int  # That it was learned from.

    def quantiles(self, panel: Panel, mean: Floats, levels: Sequence[float]) -> Floats:
        """Quantiles, (levels, series, ahead): not negative, finite, ascending with the level.

        0 where the mean is 0: nothing can sell there.

        Args:
            panel: what the forecast has seen; the same series, in the same order, as learned from.
            mean: (series, ahead). Finite and not negative.
            levels: ascending, between 0 and 1.
        """
        wanted = np.asarray(levels, dtype=np.float64)
        return self._found(panel, mean, wanted, hair=True)

    def whole(self, panel: Panel, mean: Floats, levels: Sequence[float]) -> Floats:
        """As `quantiles`, but counts are whole numbers: what to order by, and to simulate with.

        Intervals of whole numbers hold more than they say when counts are small (`ends`).
        """
        wanted = np.asarray(levels, dtype=np.float64)
        return self._found(panel, mean, wanted, hair=False)

    def probabilities(self, panel: Panel, mean: Floats, units: Floats) -> Place:
        """Probabilities of less than ``units`` and of at most as much, each (series, ahead)."""
        middle, deviation, apart = self._moments(panel, mean)
        place = _placed(units.ravel(), middle, deviation, counted=self.counted)
        size = np.log(middle)
        before, until = (self.recalibration.levels(size, each, apart) for each in place)
        return Place(before.reshape(mean.shape), until.reshape(mean.shape))

    def _moments(self, panel: Panel, mean: Floats) -> tuple[Floats, Floats, Booleans]:
        """Means and deviations of the family, and unusual plans; all (series x ahead,)."""
        described = features.describe(panel, mean, self.spread.unit)
        deviation = self.spread.deviation(described).ravel()
        apart = (described[..., features.UNUSUAL] > features.APART).ravel()
        return (*_bounded(mean.ravel(), deviation, self.spread.unit), apart)

    def of(self, rows: slice) -> "Calibration":
        """What is known about some of the series."""
        return replace(self, spread=replace(self.spread, own=self.spread.own[rows]))

    def _found(self, panel: Panel, mean: Floats, levels: Floats, *, hair: bool) -> Floats:
        middle, deviation, apart = self._moments(panel, mean)
        size = np.log(middle)
        places = self.recalibration.places(size, levels, apart)
        found = family.amounts(places, middle, deviation)
        if self.counted:
            single = family.one_by_one(middle, deviation)
            asked = places[:, single]
            found[:, single] = family.counts(asked, middle[single], deviation[single])
            if hair:
                place = family.place_of_counts(found[:, single], middle[single], deviation[single])
                mirrored = self.recalibration.places(size, 1.0 - levels, apart)[:, single]
                found[:, single] = settle(found[:, single], place, (asked, mirrored), levels)
            else:
                found = np.round(found)
        ascending = np.maximum.accumulate(np.maximum(found, 0.0), axis=0)
        return np.where(mean.ravel() > 0, ascending, 0.0).reshape(-1, *mean.shape)


def calibrate(panel: Panel, helds: Sequence[Held]) -> Calibration:
    """Learns from the forecasts of past origins. Any number of them, none included.

    With few records, one-step errors of a running mean of the panel's own past are added.

    Args:
        panel: the past; what ``helds`` saw of it is its first columns.
        helds: past origins, with (series, ahead) of one width or of several.
    """
    unit, counted = features.usual(panel), family.counted(panel.units)
    past = origins_of(panel, list(helds), unit)
    described = [each.described[each.seen] for each in past]
    errors = [each.errors[each.seen] for each in past]
    coefficients = fit(_joined(described, len(features.NAMES)), _joined(errors)[:, 0])
    own, without = own_factors([each.ratios(coefficients) for each in past])
    sizes, places = [np.zeros(0)], [np.zeros((2, 0))]
    for each, factors in zip(past, without, strict=True):
        deviation = Spread(coefficients, factors, unit).deviation(each.described)[each.seen]
        mean, actual = each.held.mean[each.seen], each.held.actual[each.seen]
        middle, deviation = _bounded(mean, deviation, unit)
        sizes.append(np.log(middle))
        places.append(np.stack(_placed(actual, middle, deviation, counted=counted)))
    origin = np.repeat(np.arange(len(sizes)), [each.size for each in sizes])
    place = Place(*np.concatenate(places, axis=1))
    apart = _joined(described, len(features.NAMES))[:, features.UNUSUAL] > features.APART
    learned = recalibration.learn_split(np.concatenate(sizes), place, origin, apart)
    own = np.broadcast_to(own, panel.series).copy()
    return Calibration(Spread(coefficients, own, unit), learned, counted, origin.size)


def _bounded(mean: Floats, deviation: Floats, unit: float) -> tuple[Floats, Floats]:
    """Means above 0, and deviations that are not lost beside them."""
    middle = np.maximum(mean, TINY * unit)
    return middle, np.maximum(deviation, LEAST_DEVIATION * middle)


def _placed(units: Floats, mean: Floats, deviation: Floats, *, counted: bool) -> Place:
    """Where records lie in their distributions."""
    place = family.place_of_amounts(units, mean, deviation, 1.0 if counted else 0.0)
    if not counted:
        return place
    single = family.one_by_one(mean, deviation)
    count = family.place_of_counts(units[single], mean[single], deviation[single])
    place.before[single], place.until[single] = count
    return place


def _joined(parts: Sequence[Floats], width: int = 1) -> Floats:
    """Records of all origins one below the other, (records, width)."""
    return np.concatenate([np.zeros((0, width)), *(each.reshape(-1, width) for each in parts)])
