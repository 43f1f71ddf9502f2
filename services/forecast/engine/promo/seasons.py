"""Terms that all series share: the time of the year, the day of the week, and yearly events."""

import numpy as np

from services.forecast.engine import calendar_events
from services.forecast.engine.arrays import Dates, Floats
from services.forecast.engine.period import MONTHS, WEEK_DAYS, Period
from services.forecast.engine.promo.terms import Label

YEARS_NEEDED = 1.4  # Of history, before a season of the year can be told from a trend.
WAVES = {Period.DAY: 3, Period.WEEK: 3, Period.MONTH: 5}
DAYS_PER_YEAR = 365.25
AROUND = {Period.DAY: (-1, 1), Period.WEEK: (-1, 1)}  # Columns around an event that it may move.
YEAR = "year"
WEEKDAY = "weekday"
EVENTS = "events"


def terms(period: Period, dates: Dates, history: int) -> list[tuple[Label, Floats]]:
    """Labels and values (columns,) of the shared terms, given ``history`` columns of past."""
    found: list[tuple[Label, Floats]] = []
    if period is Period.DAY:
        found += _weekdays(dates)
    if history >= YEARS_NEEDED * period.year:
        found += _waves(period, dates)
        if period in AROUND:
            found += _events(period, dates)
    return found


def _weekdays(dates: Dates) -> list[tuple[Label, Floats]]:
    days = calendar_events.weekday(dates)
    last = (days == WEEK_DAYS - 1).astype(np.float64)
    return [
        (Label(f"weekday_{day}", WEEKDAY, "season"), (days == day) - last)
        for day in range(WEEK_DAYS - 1)
    ]


def _waves(period: Period, dates: Dates) -> list[tuple[Label, Floats]]:
    if period is Period.MONTH:
        count, year = dates.astype("datetime64[M]").astype(np.float64), float(MONTHS)
    else:
        count, year = dates.astype("datetime64[D]").astype(np.float64), DAYS_PER_YEAR
    angle = 2 * np.pi * count / year
    found = []
    for k in range(1, WAVES[period] + 1):
        found.append((Label(f"cos_{k}", YEAR, "season"), np.cos(k * angle)))
        found.append((Label(f"sin_{k}", YEAR, "season"), np.sin(k * angle)))
    if period is Period.MONTH:  # With the sixth cosine any profile of twelve months can be told.
        found.append((Label("cos_6", YEAR, "season"), np.cos(6 * angle)))
    return found


def _events(period: Period, dates: Dates) -> list[tuple[Label, Floats]]:
    low, high = AROUND[period]
    return [
        (Label(f"{event.name}{offset:+d}", EVENTS, "event"), values)
        for event in calendar_events.yearly_events(dates[0], dates[-1])
        for offset in range(low, high + 1)
        if (values := calendar_events.marks(event, period, dates, offset)).any()
    ]
