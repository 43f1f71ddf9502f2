"""In which column of a forecast's panel each row belongs: 0 is the last period seen, 1 the next.

Columns are counted from the cutoff, so that every series ends in column 0: weeks may end on another
day for each series, a stamp may come a day early or late, months may begin or end on any day.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cli.panels.values import Integers
from cli.problems import Problem
from services.forecast.engine.period import Period

Dates = NDArray[np.datetime64]

WEEK = 7
HALF_WEEK = 3
HALF_MONTH = 14  # Days.


@dataclass(frozen=True, slots=True)
class Placed:
    columns: Integers  # (rows,). At most 0 for what is seen, at least 1 for what is not.
    last: Dates  # (series,). The date of column 0, by series.
    typical: np.datetime64  # The date of column 0, for the calendar of all.


def place(
    period: Period, series: Integers, days: Dates, seen: NDArray[np.bool_], cutoff: np.datetime64
) -> Placed:
    """Places rows, which are ordered by series and day, around ``cutoff`` (of unit day).

    Raises:
        Problem: two rows of a series fall into one period.
    """
    place_by = {Period.DAY: _days, Period.WEEK: _weeks, Period.MONTH: _months}[period]
    placed = place_by(series, days, seen, cutoff)
    same = (np.diff(series) == 0) & (np.diff(placed.columns) == 0) & seen[1:]
    if same.any():
        row = int(same.argmax())
        raise Problem(
            f"{int(same.sum()):,} rows share a {period.name.lower()} with another of their series, "
            f"such as {days[row]} and {days[row + 1]}",
            "add them up to one row, or say how long a period is with --period D, W or M",
        )
    return placed


def _days(series: Integers, days: Dates, seen: NDArray[np.bool_], cutoff: np.datetime64) -> Placed:
    columns = (days - cutoff).astype(np.int64)
    # The rest of the cutoff's day, where that was given with a time.
    columns = np.where(seen, columns, np.maximum(columns, 1))
    return Placed(columns, np.full(int(series.max()) + 1, cutoff), cutoff)


def _weeks(series: Integers, days: Dates, seen: NDArray[np.bool_], cutoff: np.datetime64) -> Placed:
    numbers, end = days.astype(np.int64), int(cutoff.astype(np.int64))
    count = int(series.max()) + 1
    on = np.bincount(series[seen] * WEEK + numbers[seen] % WEEK, minlength=count * WEEK)
    on = on.reshape(count, WEEK)

    def last_of(weekday: Integers) -> Integers:
        return np.asarray(end - (end - weekday) % WEEK)

    last = last_of(on.argmax(axis=1))
    columns = np.floor_divide(numbers - last[series] + HALF_WEEK, WEEK)
    # A week that was stamped early has been seen: it is column 0 of its series.
    early = np.zeros(count, dtype=np.int64)
    np.maximum.at(early, series[seen], columns[seen])
    columns -= early[series]
    last += early * WEEK
    common = last_of(on.sum(axis=0).argmax()) + WEEK * int(np.median(early[on.any(axis=1)]))
    columns = np.where(seen, columns, np.maximum(columns, 1))
    return Placed(columns, _date(last), _date(common)[()])


def _months(
    series: Integers, days: Dates, seen: NDArray[np.bool_], cutoff: np.datetime64
) -> Placed:
    shift = _month_shift(series[seen], days[seen])
    months = (days + shift).astype("datetime64[M]")
    in_month = (days + shift - months.astype("datetime64[D]")).astype(np.int64)[seen]
    end = (cutoff + shift).astype("datetime64[M]")
    ends_on = end.astype("datetime64[D]") + int(np.median(in_month))
    last_day = (end + 1).astype("datetime64[D]") - 1
    if cutoff + shift < min(ends_on, last_day):
        end -= 1  # The cutoff's month is not over.
    end = max(end, months[seen].max())
    columns = (months - end).astype(np.int64)
    columns = np.where(seen, columns, np.maximum(columns, 1))
    first = days[seen][columns[seen].argmin()]
    date = Period.MONTH.dates(first, 1 - int(columns[seen].min()))[-1]
    return Placed(columns, np.full(int(series.max()) + 1, date), date)


def _month_shift(series: Integers, days: Dates) -> np.timedelta64:
    """Days to move every date, so that months of four and five weeks do not share a month."""
    for shift in (0, -HALF_MONTH, HALF_MONTH):
        months = (days + shift).astype("datetime64[M]")
        if not ((np.diff(series) == 0) & (np.diff(months.astype(np.int64)) == 0)).any():
            return np.timedelta64(shift, "D")
    return np.timedelta64(0, "D")


def _date(numbers: Integers) -> Any:
    return np.asarray(numbers, dtype=np.int64).astype("datetime64[D]")
