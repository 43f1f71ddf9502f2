"""Calendar profiles: what a day of the week or a part of the year multiplies sales by.

Each series has a profile of its own, drawn towards the panel's, which is drawn towards none. How
far is decided by how well the profile repeats: the covariance between different cycles (two years,
two weeks) is signal, what is left of the variance is noise. That asks for no model of the noise:
a single spike is in one cycle only and moves nothing (the Spearman-Brown formula of test theory).
"""

from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.plain.observed import Observed
from services.forecast.engine.plain.windows import centred, triangular

TINY = 1e-300
LEAST_POWER = 1e-12  # Of a relative deviation: less is rounding.
ROUNDS = 2  # For the panel's: the level needs the profile and the profile the level.
SPAN_PER_WIDTH = 0.75  # Periods that a unit of smoothing makes one of, about.
PRIOR_VARIANCE = 0.02  # Of reliabilities between series, and its weight in series.
PRIOR_SERIES = 2.0
PANEL_VARIANCE = 0.25  # Of the panel's own reliability, before anything is known of it.
LEAST_VARIANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Calendar:
    """A partition of time into the phases of a cycle."""

    phases: Integers  # (periods + ahead,). The phase of each period, from 0.
    count: int  # Phases in a cycle.
    season: int  # Periods in a cycle, about.
    width: int  # How many periods neighbouring phases are smoothed over.

    def totals(self, values: Floats) -> Floats:
        """(phases, series). Sums of ``values`` (periods, series) over the periods of each phase."""
        phases = self.phases[: values.shape[0]]
        order = np.argsort(phases, kind="stable")
        present, first = np.unique(phases[order], return_index=True)
        found = np.zeros((self.count, values.shape[1]))
        found[present] = np.add.reduceat(values[order], first, axis=0)
        return found


@dataclass(frozen=True, slots=True)
class Shared:
    """What the panel lends to its series."""

    factors: Floats  # (phases,). Of mean 1.
    reliability: float  # Of one cycle of one series, on average.
    variance: float  # Of that between series, beyond chance.


@dataclass(frozen=True, slots=True)
class _Ratios:
    """Sales over what the level alone would lead to."""

    sold: Floats  # (periods, series), smoothed.
    due: Floats  # (periods, series), smoothed.
    calendar: Calendar

    def factors(self, default: Floats) -> Floats:
        """(phases, series). Ratios of sums; ``default`` (phases, 1) where nothing was due."""
        above, below = self.calendar.totals(self.sold), self.calendar.totals(self.due)
        found: Floats = np.where(below > 0, above / np.maximum(below, TINY), default)
        return found

    def deviations(self, factors: Floats) -> tuple[Floats, Booleans]:
        """(periods, series). Each period's ratio less ``factors`` (phases, 1), and where it is."""
        known = self.due > 0
        ratio = np.where(known, self.sold / np.where(known, self.due, 1.0), 0.0)
        return np.where(known, ratio - factors[self.calendar.phases[: ratio.shape[0]]], 0.0), known


def fit_shared(observed: Observed, base: Floats, calendar: Calendar) -> Shared:
    """The panel's profile, and how alike to it the profiles of its series are.

    Args:
        observed: of (periods, series).
        base: (periods, series) or (periods, 1). Another calendar's multipliers.
        calendar: its phases reach at least to the end of the past.
    """
    exposed = observed.weight * base
    mean = observed.units.sum(axis=0) / np.maximum(exposed.sum(axis=0), TINY)
    sells = mean > 0
    typical = float(np.median(mean[sells])) if sells.any() else 1.0
    # Small series count by their units, large ones alike: the noise of counts, then of ratios.
    scale = np.where(sells, 1.0 / (mean + typical), 0.0)[:, np.newaxis]
    # Of many series even a sharp peak is no accident: what the panel lends is not smoothed.
    sharp = replace(calendar, width=0)
    none = np.ones((calendar.count, 1))
    factors = none
    for _ in range(ROUNDS):
        ratios = _ratios(observed, exposed, factors, sharp)
        panel = _Ratios(ratios.sold @ scale, ratios.due @ scale, sharp)
        repeats, counts = _repeats(panel, none, sharp)
        reliability = _towards(repeats, counts, sharp, 0.0, PANEL_VARIANCE)
        factors = _shrunk(panel.factors(none), reliability, counts)
    repeats, counts = _repeats(_besides(observed, exposed, factors, calendar), none, calendar)
    mean_repeats, variance = _spread(repeats, counts, calendar)
    return Shared(factors[:, 0], mean_repeats, variance)


def own_factors(observed: Observed, base: Floats, calendar: Calendar, shared: Shared) -> Floats:
    """(phases, series). Each series' profile: the panel's, times what repeats of its own."""
    none, panel = np.ones((calendar.count, 1)), shared.factors[:, np.newaxis]
    ratios = _besides(observed, observed.weight * base, panel, calendar)
    repeats, counts = _repeats(ratios, none, calendar)
    reliability = _towards(repeats, counts, calendar, shared.reliability, shared.variance)
    return _of_mean_one(panel * _shrunk(ratios.factors(none), reliability, counts))


def _besides(observed: Observed, exposed: Floats, factors: Floats, calendar: Calendar) -> _Ratios:
    """Ratios of sales to what the level and ``factors`` (phases, 1) lead to."""
    expected = exposed * factors[calendar.phases[: exposed.shape[0]]]
    return _ratios(observed, expected, np.ones_like(factors), calendar)


def _ratios(observed: Observed, exposed: Floats, factors: Floats, calendar: Calendar) -> _Ratios:
    periods = observed.units.shape[0]
    level = centred(observed.units, calendar.season) / np.maximum(
        centred(exposed * factors[calendar.phases[:periods]], calendar.season), 1e-12
    )
    return _Ratios(
        triangular(observed.units, calendar.width),
        triangular(exposed * level, calendar.width),
        calendar,
    )


def _repeats(ratios: _Ratios, factors: Floats, calendar: Calendar) -> tuple[Floats, Floats]:
    """Covariance between cycles over the variance within: (series,); and the cycles."""
    deviations, known = ratios.deviations(factors)
    counts = calendar.totals(known.astype(np.float64))
    total, squares = calendar.totals(deviations), calendar.totals(deviations**2)
    # Phase by phase, so that one seen more often than others does not count for more.
    pairs = counts * (counts - 1.0)
    twice = pairs > 0
    signal = np.where(twice, (total**2 - squares) / np.where(twice, pairs, 1.0), 0.0).sum(axis=0)
    power = np.where(twice, squares / np.where(twice, counts, 1.0), 0.0).sum(axis=0)
    shown = power > LEAST_POWER
    return np.where(shown, signal / np.maximum(power, TINY), 0.0), counts


def _chance(counts: Floats, calendar: Calendar) -> Floats:
    """(series,). Variance of a repeat by chance alone; infinite where nothing can repeat."""
    pairs = (counts * (counts - 1)).sum(axis=0) / (1.0 + SPAN_PER_WIDTH * calendar.width)
    return np.where(pairs > 0, 2.0 / np.maximum(pairs, TINY), np.inf)


def _spread(repeats: Floats, counts: Floats, calendar: Calendar) -> tuple[float, float]:
    """Mean and true variance of the repeats between series."""
    chance = _chance(counts, calendar)
    shown = np.isfinite(chance)
    some = repeats[shown]
    mean = float(some.sum() / (some.size + 0.5))
    excess = float(((some - mean) ** 2 - chance[shown]).sum())
    variance = (excess + PRIOR_SERIES * PRIOR_VARIANCE) / (some.size + PRIOR_SERIES)
    return mean, max(variance, LEAST_VARIANCE)


def _towards(
    repeats: Floats, counts: Floats, calendar: Calendar, mean: float, variance: float
) -> Floats:
    """(series,). Reliability of one cycle, the series' own drawn towards the panel's ``mean``."""
    own = variance / (variance + _chance(counts, calendar))
    return np.where(own > 0, np.clip(mean + (repeats - mean) * own, 0.0, 1.0), 0.0)


def _shrunk(factors: Floats, reliability: Floats, counts: Floats) -> Floats:
    """(phases, series) of mean 1. More cycles make a phase more reliable (Spearman-Brown)."""
    share = reliability * counts / (1.0 + np.maximum(counts - 1.0, 0.0) * reliability)
    return _of_mean_one(np.maximum(1.0 + (factors - 1.0) * share, 0.0))


def _of_mean_one(factors: Floats) -> Floats:
    mean = factors.mean(axis=0)
    found: Floats = np.where(mean > 0, factors / np.where(mean > 0, mean, 1.0), 1.0)
    return found
