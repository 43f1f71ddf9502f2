"""How long one column of a panel is, and which dates its columns bear."""

from enum import Enum

import numpy as np

from services.forecast.engine.arrays import Dates, Integers

MONTHS = 12
WEEK_DAYS = 7


class Period(Enum):
    """The length of one column."""

    DAY = "D"
    WEEK = "W"
    MONTH = "M"

    @property
    def season(self) -> int:
        """Periods in the season that a naive forecast repeats: 7 days, 52 weeks, 12 months."""
        return {Period.DAY: 7, Period.WEEK: 52, Period.MONTH: 12}[self]

    @property
    def year(self) -> float:
        """Periods in a year."""
        return {Period.DAY: 365.25, Period.WEEK: 365.25 / 7, Period.MONTH: 12.0}[self]

    def columns(self, first: np.datetime64, dates: Dates) -> Integers:
        """The column of each date, counted from ``first``. Months count whatever the day in them.

        Weeks are counted in steps of seven days from ``first``; a date between two steps belongs to
        the nearest, so that a shop that stamps a week a day late is not torn apart.
        """
        if self is Period.MONTH:
            months = dates.astype("datetime64[M]") - first.astype("datetime64[M]")
            return np.asarray(months, dtype=np.int64)
        steps = dates.astype("datetime64[D]") - first.astype("datetime64[D]")
        days: Integers = np.asarray(steps, dtype=np.int64)
        if self is Period.DAY:
            return days
        return np.asarray(np.floor_divide(days + WEEK_DAYS // 2, WEEK_DAYS))

    def dates(self, first: np.datetime64, count: int) -> Dates:
        """``count`` dates from ``first`` on, one a column. A first that ends its month ends all."""
        steps = np.arange(count)
        first = first.astype("datetime64[D]")
        if self is not Period.MONTH:
            return first + steps * (WEEK_DAYS if self is Period.WEEK else 1)
        month = first.astype("datetime64[M]")
        starts = (month + steps).astype("datetime64[D]")
        last = (month + steps + 1).astype("datetime64[D]") - 1
        if first == (month + 1).astype("datetime64[D]") - 1:
            return np.asarray(last)
        return np.asarray(np.minimum(starts + (first - month.astype("datetime64[D]")), last))
