"""Terms that all series share: the time of the year, the day of the week, and yearly events."""

import numpy as np

from services.forecast.engine import calendar_events
from services.forecast.engine.arrays import Dates, Floats
from services.forecast.engine.period import MONTHS, WEEK_DAYS, Period

YEARS_NEEDED = 1.4  # Of history, before a season of the year can be told from a trend.
WAVES = {Period.DAY: 3, Period.WEEK: 3, Period.MONTH: 5}
DAYS_PER_YEAR = 365.25
AROUND = {Period.DAY: (-2, 2), Period.WEEK: (-1, 1), Period.MONTH: (0, 0)}


def terms(period: Period, dates: Dates, history: int) -> list[tuple[str, str, Floats]]:
    """Names, parts and values (columns,) of the shared terms, given columns of ``history``."""
    found: list[tuple[str, str, Floats]] = []
    if period is Period.DAY:
        days = calendar_events.weekday(dates)
        found += [
            (f"weekday_{day}", "season", (days == day) - 1.0 * (days == WEEK_DAYS - 1))
            for day in range(WEEK_DAYS - 1)
        ]
    if history < YEARS_NEEDED * period.year:
        return found
    found += _waves(period, dates)
    if period is not Period.MONTH:
        found += _events(period, dates)
    return found


def _waves(period: Period, dates: Dates) -> list[tuple[str, str, Floats]]:
    if period is Period.MONTH:
        phase = dates.astype("datetime64[M]").astype(np.int64) % MONTHS / MONTHS
    else:
        phase = dates.astype("datetime64[D]").astype(np.int64) % DAYS_PER_YEAR / DAYS_PER_YEAR
    angle = 2 * np.pi * phase
    found = []
    for k in range(1, WAVES[period] + 1):
        found.append((f"cos_{k}", "season", np.cos(k * angle)))
        found.append((f"sin_{k}", "season", np.sin(k * angle)))
    if period is Period.MONTH:
        found.append(("cos_6", "season", np.cos(6 * angle)))
    return found


def _events(period: Period, dates: Dates) -> list[tuple[str, str, Floats]]:
    low, high = AROUND[period]
    return [
        (f"{event.name}{offset:+d}", "event", values)
        for event in calendar_events.yearly_events(dates[0], dates[-1])
        for offset in range(low, high + 1)
        if (values := calendar_events.shares(event, period, dates, offset)).any()
    ]
