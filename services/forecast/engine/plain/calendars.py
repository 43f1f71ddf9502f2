"""Which calendars a panel's sales may follow, given how long it is."""

import numpy as np

from services.forecast.engine.arrays import Dates, Integers
from services.forecast.engine.period import MONTHS, WEEK_DAYS, Period
from services.forecast.engine.plain.profiles import Calendar

LEAST_WEEKS = 3  # For a profile of the days of the week.
LEAST_YEARS = 1.5  # For one of the year: some of it must have been seen twice.
YEAR_WEEKS = 52
YEAR_DAYS = 365
WIDTHS = {Period.DAY: 10, Period.WEEK: 2, Period.MONTH: 0}  # Periods of smoothing.


def weekdays(dates: Dates, periods: int) -> Calendar | None:
    """The days of the week; none for a past shorter than three weeks."""
    if periods < LEAST_WEEKS * WEEK_DAYS:
        return None
    days = dates.astype("datetime64[D]").astype(np.int64) % WEEK_DAYS
    return Calendar(days, WEEK_DAYS, 4 * WEEK_DAYS, 0)


def year(dates: Dates, periods: int, period: Period) -> Calendar | None:
    """The days, weeks or months of the year; none for a past shorter than a year and a half."""
    if periods < LEAST_YEARS * period.year:
        return None
    phases, count = _of_the_year(dates, period)
    season = round(period.year)
    return Calendar(phases, count, season, WIDTHS[period])


def _of_the_year(dates: Dates, period: Period) -> tuple[Integers, int]:
    if period is Period.MONTH:
        return dates.astype("datetime64[M]").astype(np.int64) % MONTHS, MONTHS
    new_year = dates.astype("datetime64[Y]").astype("datetime64[D]")
    days = (dates.astype("datetime64[D]") - new_year).astype(np.int64)
    if period is Period.WEEK:
        return np.minimum(days // WEEK_DAYS, YEAR_WEEKS - 1), YEAR_WEEKS
    return np.minimum(days, YEAR_DAYS - 1), YEAR_DAYS
