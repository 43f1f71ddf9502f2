"""The retail calendar: years of 52 or 53 whole weeks, quarters of 4, 4 and 5 weeks."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Dates, Integers
from services.forecast.engine.calendar_events import SATURDAY, WEEK, weekday

WEEKS = 52
QUARTERS = 4
EPOCH = 1970


@dataclass(frozen=True, slots=True)
class RetailDates:
    """Where dates lie in the retail calendar. All (dates,)."""

    year: Integers  # Named after the calendar year in which it begins.
    week: Integers  # 1 to 53.
    month: Integers  # 1 to 12. Week 53 belongs to the last.
    weeks_in_month: Integers  # 4, 5, or 6 with a week 53 at the end of a month of 5.


@dataclass(frozen=True, slots=True)
class RetailCalendar:
    """A year that ends on the ``end_weekday`` nearest to the last day of ``end_month``.

    As it stands, the 4-5-4 calendar's year of the US National Retail Federation: the Saturday
    nearest to 31 January. A year has 53 weeks when the next end lies so far off.
    """

    end_month: int = 1
    end_weekday: int = SATURDAY
    pattern: tuple[int, int, int] = (4, 4, 5)  # Weeks of the months of a quarter; 13 together.

    def ends(self, years: Integers) -> Dates:
        """The last day of the retail year that ends in or about ``end_month`` of ``years``."""
        after = ((years - EPOCH) * 12 + self.end_month).astype("datetime64[M]")
        last: Dates = np.subtract(after.astype("datetime64[D]"), np.timedelta64(1, "D"))
        ahead = (self.end_weekday - weekday(last)) % WEEK
        nearest = np.where(ahead > WEEK // 2, ahead - WEEK, ahead)
        return np.asarray(last + nearest.astype("timedelta64[D]"))

    def read(self, dates: Dates) -> RetailDates:
        """Places ``dates`` in the calendar; none need be in order."""
        days = dates.astype("datetime64[D]")
        years = days.astype("datetime64[Y]").astype(np.int64) + EPOCH
        candidates = np.arange(int(years.min()) - 1, int(years.max()) + 3)
        ends = self.ends(candidates)
        found = np.searchsorted(ends, days)  # The first end on or after the date.
        starts = ends[found - 1] + np.timedelta64(1, "D")
        week = (days - starts).astype(np.int64) // WEEK + 1
        edges = np.cumsum(np.tile(self.pattern, QUARTERS))
        month = np.minimum(np.searchsorted(edges, week), edges.size - 1) + 1
        length = np.asarray(np.tile(self.pattern, QUARTERS))[month - 1]
        long = (ends[found] - starts).astype(np.int64) + 1 > WEEKS * WEEK
        length = length + (long & (month == edges.size))
        begins = starts.astype("datetime64[Y]").astype(np.int64) + EPOCH
        return RetailDates(begins, week, month, length)
