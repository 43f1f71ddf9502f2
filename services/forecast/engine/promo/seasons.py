"""Terms that all series share: the time of the year, the day of the week, and yearly events."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine import calendar_events
from services.forecast.engine.arrays import Dates, Floats
from services.forecast.engine.period import MONTHS, WEEK_DAYS, Period
from services.forecast.engine.promo.terms import Label
from services.forecast.engine.retail_calendar import RetailCalendar, RetailDates

YEARS_NEEDED = 1.0  # Of history: a season that was not seen in full cannot be told from a trend.
WAVES = {Period.DAY: 3, Period.WEEK: 3, Period.MONTH: 5}
DAYS_PER_YEAR = 365.25
AROUND = {Period.DAY: (-1, 1), Period.WEEK: (-1, 1)}  # Columns around an event that it may move.
YEAR = "year"
WEEKDAY = "weekday"
EVENTS = "events"
GIFT_DAYS = 28  # Before Christmas, in which presents are bought.
RETAIL = "retail"
WEEKS_PER_MONTH = 52 / 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """What is known about the time beyond the dates themselves."""

    country: str = ""  # Whose public holidays count: an ISO 3166 code, perhaps `-` and a part.
    retail: RetailCalendar | None = None  # The retailer's own months, if it plans by them.


def terms(
    period: Period, dates: Dates, history: int, calendar: Calendar
) -> list[tuple[Label, Floats]]:
    """Labels and values (columns,) of the shared terms, given ``history`` columns of past.

    Raises:
        ValueError: no holidays are known for the calendar's country.
    """
    found: list[tuple[Label, Floats]] = []
    if period is Period.DAY:
        found += _weekdays(dates)
    if calendar.retail is not None:
        found += _retail(period, calendar.retail.read(dates))
    if history >= YEARS_NEEDED * period.year:
        found += _waves(period, dates)
        if period in AROUND:
            found += _events(period, dates, calendar.country)
    return found


def _retail(period: Period, placed: RetailDates) -> list[tuple[Label, Floats]]:
    """The length of a retail month, for months; else the first week of each."""
    if period is Period.MONTH:
        values = np.log(placed.weeks_in_month / WEEKS_PER_MONTH)
    else:
        values = (np.diff(placed.month, prepend=0) != 0).astype(np.float64)
        if period is Period.DAY:
            starts = np.where(values > 0, np.arange(values.size), 0)
            since = np.arange(values.size) - np.maximum.accumulate(starts)
            values = (since < WEEK_DAYS).astype(np.float64)
    return [(Label("retail_month", RETAIL, "season"), values)]


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


def _events(period: Period, dates: Dates, country: str) -> list[tuple[Label, Floats]]:
    low, high = AROUND[period]
    events = calendar_events.yearly_events(dates[0], dates[-1])
    gifts = next(event.days for event in events if event.name == "christmas")
    ramp = calendar_events.run_up(dates, gifts, GIFT_DAYS)
    if country:
        events += calendar_events.named_holidays(country, dates[0], dates[-1])
    ramped = [(Label("gifts", EVENTS, "event"), ramp)] if ramp.any() else []
    return ramped + [
        (Label(f"{event.name}{offset:+d}", EVENTS, "event"), values)
        for event in events
        for offset in range(low, high + 1)
        if (values := calendar_events.marks(event, period, dates, offset)).any()
    ]
