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
from services.forecast.engine.intervals.past import stand_in
from services.forecast.engine.intervals.recalibration import Recalibration
from services.forecast.engine.intervals.spread import Spread, expected, fit, own_factors
from services.forecast.engine.panel import Panel

LEAST_ERRORS = 100
TINY = 1e-6  # Of a usual sale.
LEAST_DEVIATION = 1e-3  # Of the mean.


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known about errors."""

    spread: Spread
    recalibration: Recalibration
    counted: bool  # Whether units are whole numbers.
    errors: int  # Past errors that it was learned from.

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
        middle, deviation = self._moments(panel, mean)
        place = _placed(units.ravel(), middle, deviation, counted=self.counted)
        size = np.log(middle)
        before, until = (self.recalibration.levels(size, each) for each in place)
        return Place(before.reshape(mean.shape), until.reshape(mean.shape))

    def _moments(self, panel: Panel, mean: Floats) -> tuple[Floats, Floats]:
        """Means and standard deviations of the family, (series x ahead,)."""
        described = features.describe(panel, mean, self.spread.unit)
        middle = np.maximum(mean, TINY * self.spread.unit).ravel()
        deviation = self.spread.deviation(described).ravel()
        return middle, np.maximum(deviation, LEAST_DEVIATION * middle)

    def of(self, rows: slice) -> "Calibration":
        """What is known about some of the series."""
        return replace(self, spread=replace(self.spread, own=self.spread.own[rows]))

    def _found(self, panel: Panel, mean: Floats, levels: Floats, *, hair: bool) -> Floats:
        middle, deviation = self._moments(panel, mean)
        places = self.recalibration.places(np.log(middle), levels)
        found = family.amounts(places, middle, deviation)
        if self.counted:
            single = family.one_by_one(middle, deviation)
            asked = places[:, single]
            found[:, single] = family.counts(asked, middle[single], deviation[single])
            if hair:
                place = family.place_of_counts(found[:, single], middle[single], deviation[single])
                found[:, single] = settle(found[:, single], place, asked, levels)
            else:
                found = np.round(found)
        ascending = np.maximum.accumulate(np.maximum(found, 0.0), axis=0)
        return np.where(mean.ravel() > 0, ascending, 0.0).reshape(-1, *mean.shape)


def calibrate(panel: Panel, helds: Sequence[Held]) -> Calibration:
    """Learns from the forecasts of past origins. Any number of them, none included.

    With few errors, one-step errors of a running mean of the panel's own past are added.

    Args:
        panel: the past; what ``helds`` saw of it is its first columns.
        helds: past origins, with (series, ahead) of one width or of several.
    """
    used = [held for held in helds if held.mean.shape[1]]
    if sum(int((~np.isnan(held.actual)).sum()) for held in used) < LEAST_ERRORS:
        used = [*stand_in(panel), *used]
    unit = features.usual(panel)
    described = [
        features.describe(panel.until(held.origin, held.mean.shape[1]), held.mean, unit)
        for held in used
    ]
    # Where nothing was expected, as on days a shop is closed, there is nothing to learn.
    seen = [~np.isnan(held.actual) & (held.mean > 0) for held in used]
    errors = [np.abs(held.actual - held.mean) / unit for held in used]
    coefficients = fit(_flat(described, seen, len(features.NAMES)), _flat(errors, seen)[:, 0])
    usual = [expected(each, coefficients) for each in described]
    ratios = [np.where(s, e / u, np.nan) for s, e, u in zip(seen, errors, usual, strict=True)]
    own, apart = own_factors(ratios)
    spreads = [
        Spread(coefficients, each, unit).deviation(x)
        for each, x in zip(apart, described, strict=True)
    ]
    middle = np.maximum(_flat([held.mean for held in used], seen)[:, 0], TINY * unit)
    deviation = np.maximum(_flat(spreads, seen)[:, 0], LEAST_DEVIATION * middle)
    actual = _flat([held.actual for held in used], seen)[:, 0]
    counted = family.counted(panel.units)
    place = _placed(actual, middle, deviation, counted=counted)
    origin = np.repeat([held.origin for held in used], [int(mask.sum()) for mask in seen])
    learned = recalibration.learn(np.log(middle), place, origin)
    own = np.broadcast_to(own, panel.series).copy()
    return Calibration(Spread(coefficients, own, unit), learned, counted, middle.size)


def _placed(units: Floats, mean: Floats, deviation: Floats, *, counted: bool) -> Place:
    """Where records lie in their distributions."""
    place = family.place_of_amounts(units, mean, deviation, 1.0 if counted else 0.0)
    if not counted:
        return place
    single = family.one_by_one(mean, deviation)
    count = family.place_of_counts(units[single], mean[single], deviation[single])
    place.before[single], place.until[single] = count
    return place


def _flat(values: Sequence[Floats], seen: Sequence[Booleans], width: int = 1) -> Floats:
    """The seen ones of (series, ahead[, width]) arrays, one below the other: (records, width)."""
    parts = [each[mask].reshape(-1, width) for each, mask in zip(values, seen, strict=True)]
    return np.concatenate([np.zeros((0, width)), *parts])
