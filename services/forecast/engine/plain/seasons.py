"""Calendar profiles of a panel by name, fitted on a sample and applied to any of its series."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Dates, Floats
from services.forecast.engine.period import Period
from services.forecast.engine.plain import calendars
from services.forecast.engine.plain.observed import Observed
from services.forecast.engine.plain.profiles import Calendar, Shared, fit_shared, own_factors

NONE = "none"
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Learned:
    """What one origin's sample taught about calendars, in the order in which they build up."""

    week: tuple[Calendar, Shared] | None
    year: tuple[Calendar, Shared] | None

    def peak(self, first: int, stop: int) -> float:
        """How far the panel's profile of the year departs from its mean between two columns."""
        if self.year is None:
            return 0.0
        calendar, shared = self.year
        factors = shared.factors[calendar.phases[first:stop]]
        return float(np.abs(factors / max(float(factors.mean()), TINY) - 1.0).max())

    def names(self) -> frozenset[str]:
        """The profiles that there will be."""
        found = {NONE}
        if self.week is not None:
            found |= {"week", "week of all"}
        if self.year is not None:
            found |= {"year", "year of all"}
        return frozenset(found)


def learn(sample: Observed, dates: Dates, period: Period) -> Learned:
    """Fits what series share. ``dates`` are (periods + ahead,)."""
    periods = sample.units.shape[0]
    base = np.ones((periods, 1))
    week = calendars.weekdays(dates, periods) if period is Period.DAY else None
    shared_week = None
    if week is not None:
        shared_week = (week, fit_shared(sample, base, week))
        base = own_factors(sample, base, *shared_week)[week.phases[:periods]]
    year = calendars.year(dates, periods, period)
    return Learned(shared_week, None if year is None else (year, fit_shared(sample, base, year)))


def multipliers(
    observed: Observed, learned: Learned, ahead: int, wanted: Collection[str]
) -> dict[str, Floats]:
    """Profiles by name, (periods + ahead, series or 1), of those ``wanted``."""
    periods = observed.units.shape[0]
    base: Floats = np.ones((periods + ahead, 1))
    found: dict[str, Floats] = {NONE: base}
    if learned.week is not None:
        calendar, shared = learned.week
        found["week of all"] = shared.factors[calendar.phases, np.newaxis]
        base = own_factors(observed, base[:periods], calendar, shared)[calendar.phases]
        found["week"] = base
    if learned.year is not None:
        calendar, shared = learned.year
        found["year of all"] = base * shared.factors[calendar.phases, np.newaxis]
        if "year" in wanted:
            own = own_factors(observed, base[:periods], calendar, shared)
            found["year"] = base * own[calendar.phases]
    return {name: values for name, values in found.items() if name in wanted}
