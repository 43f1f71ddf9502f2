"""Days that move sales every year, and the retail calendar.

Nothing here knows a country unless one is named. The days that are always there are those that
most retailers of Europe and America share; a model that is given them learns whether they matter.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Dates, Floats
from services.forecast.engine.period import Period

DAY = np.timedelta64(1, "D")
WEEK = 7
THURSDAY = 3  # As numpy counts: Monday is 0.
FRIDAY = 4
SATURDAY = 5
SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Event:
    """Something that comes once a year, on the days of ``days``."""

    name: str
    days: Dates  # Ascending, a day a year.


def weekday(days: Dates) -> np.ndarray:
    """Day of the week, Monday 0 to Sunday 6. Day 0 of numpy's calendar was a Thursday."""
    return (days.astype("datetime64[D]").astype(np.int64) + THURSDAY) % WEEK


def easter(years: np.ndarray) -> Dates:
    """Easter Sunday of each of ``years`` in the Gregorian calendar.

    The anonymous algorithm (Meeus, Astronomical Algorithms, 1991, chapter 8).
    """
    a, b, c = years % 19, years // 100, years % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    count = h + m - 7 * n + 114
    month, day = count // 31, count % 31
    return _dates(years, month, day + 1)


def _dates(years: np.ndarray, month: np.ndarray | int, day: np.ndarray | int) -> Dates:
    months = ((years - 1970) * 12 + np.asarray(month) - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]") + (np.asarray(day) - 1).astype("timedelta64[D]")


def nth_weekday(years: np.ndarray, month: int, day_of_week: int, nth: int) -> Dates:
    """The ``nth`` (from 1) ``day_of_week`` of ``month`` in each of ``years``."""
    first = _dates(years, month, 1)
    step = (day_of_week - weekday(first)) % WEEK + WEEK * (nth - 1)
    return first + step.astype("timedelta64[D]")


def yearly_events(first: np.datetime64, last: np.datetime64) -> list[Event]:
    """The shared days of retail that touch ``first`` to ``last``, each as one day a year."""
    start, stop = (int(day.astype("datetime64[Y]").astype(int)) + 1970 for day in (first, last))
    years = np.arange(start - 1, stop + 2)
    black_friday = nth_weekday(years, 11, THURSDAY, 4) + DAY
    return [
        Event("new_year", _dates(years, 1, 1)),
        Event("easter", easter(years)),
        Event("black_friday", black_friday),
        Event("christmas", _dates(years, 12, 25)),
    ]


def named_holidays(country: str, first: np.datetime64, last: np.datetime64) -> list[Event]:
    """Public holidays of a country (ISO 3166 code, with `-` and a subdivision if need be).

    Raises:
        ValueError: the country or its subdivision is not known to the `holidays` library.
    """
    import holidays  # noqa: PLC0415  # 20 MB and 0.1 s that only those pay who name a country.

    start, stop = (int(day.astype("datetime64[Y]").astype(int)) + 1970 for day in (first, last))
    code, _, part = country.partition("-")
    try:
        found = holidays.country_holidays(code, subdiv=part or None, years=range(start, stop + 1))
    except NotImplementedError as error:
        raise ValueError(f"no holidays are known for {country!r}: {error}") from error
    by_name: dict[str, list[np.datetime64]] = {}
    for day, name in sorted(found.items()):
        by_name.setdefault(name, []).append(np.datetime64(day, "D"))
    return [Event(name, np.array(days)) for name, days in sorted(by_name.items())]


def shares(event: Event, period: Period, dates: Dates, offset: int = 0) -> Floats:
    """(columns,). How much of each column ``event``, moved by ``offset`` columns, falls into.

    1 where the column holds the event's day, else 0; of a column that is a week, its date is taken
    as its first day.
    """
    columns = period_of(period, dates, event.days) + offset
    inside = (columns >= 0) & (columns < dates.size)
    found = np.zeros(dates.size)
    found[columns[inside]] = 1.0
    return found


def period_of(period: Period, dates: Dates, days: Dates) -> np.ndarray:
    """The column whose span holds each of ``days``; -1 or the count of columns if none does."""
    if period is Period.MONTH:
        edges = dates.astype("datetime64[M]")
        return (days.astype("datetime64[M]") - edges[0]).astype(np.int64).clip(-1, dates.size)
    if dates.size == 0:
        return np.full(days.shape, -1)
    length = WEEK if period is Period.WEEK else 1
    found = np.floor_divide((days - dates[0]).astype(np.int64), length)
    return found.clip(-1, dates.size)
