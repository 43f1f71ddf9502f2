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


@dataclass(frozen=True, slots=True)
class Learned:
    """What one origin's sample taught about calendars, in the order in which they build up."""

    week: tuple[Calendar, Shared] | None
    years: tuple[tuple[Calendar, Shared], ...]

    def names(self) -> frozenset[str]:
        """The profiles that there will be."""
        found = {NONE}
        if self.week is not None:
            found |= {"week", "week of all"}
        for calendar, _ in self.years:
            found |= {f"year {calendar.width}", f"year {calendar.width} of all"}
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
    years = calendars.years(dates, periods, period)
    fitted = tuple((year, fit_shared(sample, base, year)) for year in years)
    return Learned(shared_week, fitted)


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
    for calendar, shared in learned.years:
        name = f"year {calendar.width}"
        if name in wanted:
            own = own_factors(observed, base[:periods], calendar, shared)
            found[name] = base * own[calendar.phases]
        if f"{name} of all" in wanted:
            found[f"{name} of all"] = base * shared.factors[calendar.phases, np.newaxis]
    return {name: values for name, values in found.items() if name in wanted}
