"""Pooled conformal quantiles: learned from the errors of past origins, for any later forecast.

Split conformal prediction (Vovk et al. 2005) over a panel: a distribution around each forecast with
a spread that the panel's past errors suggest (`spread`), and levels corrected by where the past
records really lay (`recalibration`). A series needs no long history of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.boosted import Luck
from services.forecast.engine.held import Held
from services.forecast.engine.intervals import boosted, family, features, trial
from services.forecast.engine.intervals.boosted import moved
from services.forecast.engine.intervals.ends import settle
from services.forecast.engine.intervals.family import Place
from services.forecast.engine.intervals.recalibration import Split
from services.forecast.engine.intervals.records import (
    Origin,
    Records,
    bounded,
    joined,
    origins_of,
    placed,
)
from services.forecast.engine.intervals.spread import Spread, fit, own_factors
from services.forecast.engine.panel import Panel
from services.forecast.engine.scales import rms_steps


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known about errors."""

    spread: Spread
    recalibration: Split
    counted: bool  # Whether units are whole numbers.
    records: int  # That it was learned from.
    shift: boosted.Shift | None = None

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
        law = self._law(panel, mean)
        place = placed(units.ravel(), law.mean, law.deviation, counted=self.counted)
        size = np.log(law.mean)
        straight = (moved(each, -law.shift) for each in place) if self.shift else place
        before, until = (self.recalibration.levels(size, each, law.apart) for each in straight)
        return Place(before.reshape(mean.shape), until.reshape(mean.shape))

    def of(self, rows: slice) -> "Calibration":
        """What is known about some of the series."""
        return replace(self, spread=replace(self.spread, own=self.spread.own[rows]))

    def _law(self, panel: Panel, mean: Floats) -> "_Law":
        described = features.describe(panel, mean, self.spread.unit)
        deviation = self.spread.deviation(described).ravel()
        apart = (described[..., features.UNUSUAL] > features.APART).ravel()
        shift = np.zeros(mean.size)
        if self.shift:
            shift = self.shift.of(panel, mean, described, self.spread)
        return _Law(*bounded(mean.ravel(), deviation, self.spread.unit), apart, shift)

    def _asked(self, law: "_Law", levels: Floats) -> Floats:
        """Levels to ask the family for, (levels, series x ahead)."""
        places = self.recalibration.places(np.log(law.mean), levels, law.apart)
        return moved(places, law.shift) if self.shift else places

    def _found(self, panel: Panel, mean: Floats, levels: Floats, *, hair: bool) -> Floats:
        law = self._law(panel, mean)
        places = self._asked(law, levels)
        found = family.quantiles(places, law.mean, law.deviation, counted=self.counted and not hair)
        if self.counted and hair:
            single = family.one_by_one(law.mean, law.deviation)
            asked, moments = places[:, single], (law.mean[single], law.deviation[single])
            whole = family.counts(asked, *moments)
            mirrored = self._asked(law, 1.0 - levels)[:, single]
            place = family.place_of_counts(whole, *moments)
            found[:, single] = settle(whole, place, (asked, mirrored), levels)
        ascending = np.maximum.accumulate(np.maximum(found, 0.0), axis=0)
        return np.where(mean.ravel() > 0, ascending, 0.0).reshape(-1, *mean.shape)


@dataclass(frozen=True, slots=True)
class _Law:
    """Distributions before recalibration; all (series x ahead,)."""

    mean: Floats
    deviation: Floats
    apart: Booleans  # With an unusual plan.
    shift: Floats  # Of normal scores.


def calibrate(panel: Panel, helds: Sequence[Held], luck: Luck | None = None) -> Calibration:
    """Learns from the forecasts of past origins. Any number of them, none included.

    With few records, one-step errors of a running mean of the panel's own past are added.

    Args:
        panel: the past; what ``helds`` saw of it is its first columns.
        helds: past origins, with (series, ahead) of one width or of several.
        luck: of boosted trees, which are tried where it is given.
    """
    unit, counted = features.usual(panel), family.counted(panel.units)
    past = origins_of(panel, list(helds), unit)
    described = [each.described[each.seen] for each in past]
    errors = [each.errors[each.seen] for each in past]
    coefficients = fit(_joined(described, len(features.NAMES)), _joined(errors)[:, 0])
    own, without = own_factors([each.ratios(coefficients) for each in past])
    spreads = [Spread(coefficients, factors, unit) for factors in without]
    records = joined(past, spreads, counted=counted)
    shift, moves = None, np.zeros(records.mean.size)
    if luck is not None and len(past) <= len(helds):  # None stands in.
        shift, moves = _shift(panel, past, spreads, records, luck)
    own = np.broadcast_to(own, panel.series).copy()
    spread = Spread(coefficients, own, unit)
    return Calibration(spread, records.recalibrated(moves), counted, moves.size, shift)


def _shift(
    panel: Panel, past: list[Origin], spreads: list[Spread], records: Records, luck: Luck
) -> tuple[boosted.Shift | None, Floats]:
    """What boosted trees add, where that gained; and by how much it moves the records."""
    told, scores = [], []
    for number, (each, spread) in enumerate(zip(past, spreads, strict=True)):
        mean = each.held.mean
        before = panel.until(each.held.origin, mean.shape[1])
        told.append(boosted.describe(before, mean, each.described, spread)[each.seen])
        here = records.of(records.origin == number)
        scores.append(boosted.scores(here.place, luck.seed))
    learned = boosted.learn(told, scores, luck)
    if learned is None:
        return None, np.zeros(records.mean.size)
    models, said = learned
    first = min(each.held.origin for each in past)
    scale = rms_steps(panel.units[:, :first])
    share = trial.share(records, said, scale[records.series], counted=family.counted(panel.units))
    return (boosted.Shift(models, share) if share else None), share * said


def _joined(parts: Sequence[Floats], width: int = 1) -> Floats:
    """Records of all origins one below the other, (records, width)."""
    return np.concatenate([np.zeros((0, width)), *(each.reshape(-1, width) for each in parts)])
