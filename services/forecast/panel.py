"""Daily units of many series on one calendar, as arrays.

Shapes are written as (days, series): time runs down, so that a model may step through the days and
treat all series at once.
"""

from calendar import isleap
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

WEEK_DAYS = 7
FEBRUARY_28 = (2, 28)


@dataclass(frozen=True, slots=True)
class Panel:
    """What sold until the last row, and nothing after it."""

    first_date: date  # Of row 0.
    units: Floats  # (days, series). Finite and not negative; 0 where nothing sold.
    stores: Integers  # (series,). The store of each series, from 0.

    @property
    def days(self) -> int:
        return int(self.units.shape[0])

    @property
    def store_count(self) -> int:
        return int(self.stores.max()) + 1 if self.stores.size else 0

    def until(self, days: int) -> "Panel":
        """The panel as it stood at the end of its first ``days`` days."""
        return replace(self, units=self.units[:days])

    def weekdays(self, start: int, stop: int) -> Integers:
        """Weekdays of the rows from ``start`` up to ``stop``, Monday 0. May reach past the end."""
        return (self.first_date.weekday() + np.arange(start, stop)) % WEEK_DAYS

    def days_of_year(self, start: int, stop: int) -> Integers:
        """Days of the year from 0, of the same rows. 29 February counts as the 28th."""
        found = []
        for row in range(start, stop):
            day = self.first_date + timedelta(days=row)
            leap_shift = (day.month, day.day) > FEBRUARY_28 and isleap(day.year)
            found.append(day.timetuple().tm_yday - 1 - leap_shift)
        return np.array(found, dtype=np.int64)

    def first_sales(self) -> Integers:
        """(series,). The row of each series' first sale; ``days`` where there was none."""
        sold = self.units > 0
        return np.where(sold.any(axis=0), sold.argmax(axis=0), self.days).astype(np.int64)

    def store_totals(self) -> Floats:
        """(days, stores). Units of all series of each store."""
        totals = np.zeros((self.store_count, self.days))
        np.add.at(totals, self.stores, self.units.T)
        return totals.T
