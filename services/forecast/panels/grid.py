"""The calendar of a panel: which days each of its columns spans."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from services.forecast.domain.forecasts import Extent
from services.forecast.domain.panels import WEEK_DAYS
from services.forecast.engine.arrays import Dates, Floats
from services.forecast.engine.period import Period

DAY = timedelta(days=1)
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Grid:
    """Whole periods, one after the other. A column bears the date of its last day."""

    period: Period
    first_day: date  # Of column 0.
    periods: int  # Of the past, at least 1.
    ahead: int

    @property
    def edges(self) -> Dates:
        """(periods + ahead + 1,). The first day of each column, and the day after the last."""
        count = self.periods + self.ahead + 1
        if self.period is Period.MONTH:
            months = np.datetime64(self.first_day, "M") + np.arange(count)
            return months.astype("datetime64[D]")
        step = WEEK_DAYS if self.period is Period.WEEK else 1
        return np.datetime64(self.first_day, "D") + step * np.arange(count)

    @property
    def dates(self) -> Dates:
        """(periods + ahead,). What `Panel.dates` is."""
        return self.edges[1:] - 1

    @property
    def cutoff(self) -> date:
        """The last day of the past."""
        found: date = self.dates[self.periods - 1].item()
        return found

    def daily(self) -> "Grid":
        """The days of the past."""
        days = int((self.edges[self.periods] - self.edges[0]).astype(np.int64))
        return Grid(Period.DAY, self.first_day, days, 0)

    def shares(self, first: date, last: date) -> tuple[int, Floats]:
        """What share of each column lies between two days, both included.

        Returns:
            The first column of which some does, and the shares from there on. Columns outside of
            the grid are left out; there may be none.
        """
        edges = self.edges
        start, stop = np.datetime64(first, "D"), np.datetime64(last, "D") + 1
        begin = max(int(np.searchsorted(edges, start, side="right")) - 1, 0)
        end = min(int(np.searchsorted(edges, stop, side="left")), edges.size - 1)
        if end <= begin:
            return begin, np.empty(0)
        left, right = edges[begin:end], edges[begin + 1 : end + 1]
        days = (np.minimum(right, stop) - np.maximum(left, start)).astype(np.float64)
        return begin, days / (right - left).astype(np.float64)


def grid_of(extent: Extent, period: Period, horizon: int, week_end: int) -> Grid:
    """The whole periods of ``extent``, and ``horizon`` more.

    A period of which the extent holds a part alone would read as a weak one, so it is left out at
    either end; but if none is whole, the one with the last day stands for the past.
    """
    first = _begin(extent.first_date, period, week_end)
    if first < extent.first_date:
        first = _step(first, period, 1)
    stop = _begin(extent.last_date + DAY, period, week_end)
    if stop <= first:
        first = _begin(extent.last_date, period, week_end)
        return Grid(period, first, 1, horizon)
    return Grid(period, first, _count(first, stop, period), horizon)


def _begin(day: date, period: Period, week_end: int) -> date:
    """The first day of the period that ``day`` is in."""
    if period is Period.MONTH:
        return day.replace(day=1)
    if period is Period.WEEK:
        return day - timedelta(days=(day.weekday() - week_end - 1) % WEEK_DAYS)
    return day


def _step(day: date, period: Period, count: int) -> date:
    if period is Period.MONTH:
        month = day.year * MONTHS + day.month - 1 + count
        return date(month // MONTHS, month % MONTHS + 1, 1)
    return day + timedelta(days=count * (WEEK_DAYS if period is Period.WEEK else 1))


def _count(first: date, stop: date, period: Period) -> int:
    if period is Period.MONTH:
        return (stop.year - first.year) * MONTHS + stop.month - first.month
    return (stop - first).days // (WEEK_DAYS if period is Period.WEEK else 1)
