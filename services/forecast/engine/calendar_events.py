"""Days that move sales every year, and days on which nothing sells.

Nothing here knows a country unless one is named. The days that are always there are those that
most retailers of Europe and America share; a model that is given them learns whether they matter.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Dates, Floats, Integers
from services.forecast.engine.period import Period

DAY = np.timedelta64(1, "D")
WEEK = 7
THURSDAY = 3  # As numpy counts: Monday is 0.
FRIDAY = 4
SATURDAY = 5
SUNDAY = 6
LOOK_BACK = 28  # Days that say how many series sell on a usual day.
FEWEST_SELLERS = 12  # With fewer, a day without a sale may be chance.
SHUT_SHARE = 0.01  # Of the usual sellers, below which a day was shut.
CERTAIN_WEEKS = 8
LEAP_DAY = 59  # Counted from 0: 29 February of a leap year.
TWELFTH_24 = 357  # 24 December, counted from 0 in a year that is not a leap year.


@dataclass(frozen=True, slots=True)
class Event:
    """Something that comes once a year, on the days of ``days``."""

    name: str
    days: Dates  # Ascending, a day a year.


def weekday(days: Dates) -> Integers:
    """Day of the week, Monday 0 to Sunday 6. Day 0 of numpy's calendar was a Thursday."""
    return np.asarray((days.astype("datetime64[D]").astype(np.int64) + THURSDAY) % WEEK)


def easter(years: Integers) -> Dates:
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


def _dates(years: Integers, month: Integers | int, day: Integers | int) -> Dates:
    months = ((years - 1970) * 12 + np.asarray(month) - 1).astype("datetime64[M]")
    days = (np.asarray(day) - 1).astype("timedelta64[D]")
    return np.asarray(months.astype("datetime64[D]") + days)


def nth_weekday(years: Integers, month: int, day_of_week: int, nth: int) -> Dates:
    """The ``nth`` (from 1) ``day_of_week`` of ``month`` in each of ``years``."""
    first = _dates(years, month, 1)
    step = (day_of_week - weekday(first)) % WEEK + WEEK * (nth - 1)
    return np.asarray(first + step.astype("timedelta64[D]"))


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
    import holidays  # Here: only those who name a country wait for it.

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


def marks(event: Event, period: Period, dates: Dates, offset: int = 0) -> Floats:
    """(columns,). 1 where a column holds a day of ``event``, moved by ``offset`` columns, else 0.

    A week's date is taken for its first day; give a week on either side where it may be its last.
    """
    found = np.zeros(dates.size)
    columns = columns_of(period, dates, event.days) + offset
    found[columns[(columns >= 0) & (columns < dates.size)]] = 1.0
    return found


def run_up(dates: Dates, days: Dates, length: int) -> Floats:
    """(columns,). How near the next of ``days`` is: 1 on it, 0 from ``length`` days before."""
    found = np.searchsorted(days, dates)
    left = (days[found.clip(max=days.size - 1)] - dates).astype(np.int64)
    return np.where(left >= 0, 1 - left / length, 0.0).clip(0.0)


def columns_of(period: Period, dates: Dates, days: Dates) -> Integers:
    """The column whose span holds each of ``days``, negative or too large where none does."""
    if period is Period.MONTH:
        first = dates[0].astype("datetime64[M]")
        return np.asarray((days.astype("datetime64[M]") - first).astype(np.int64))
    length = WEEK if period is Period.WEEK else 1
    since = (days - dates[0].astype("datetime64[D]")).astype(np.int64)
    return np.asarray(np.floor_divide(since, length))


def shut(sellers: Integers) -> Booleans:
    """(columns,). Days on which no series sold although many had on the days before.

    ``sellers`` counts the series that sold on each day. A day is judged by itself and the four
    weeks before it, so that what comes later changes nothing.
    """
    found = np.zeros(sellers.size, bool)
    for day in range(1, sellers.size):
        usual = np.median(sellers[max(0, day - LOOK_BACK) : day])
        found[day] = usual >= FEWEST_SELLERS and sellers[day] < SHUT_SHARE * usual
    return found


def will_be_shut(dates: Dates, shut_before: Booleans) -> Booleans:
    """(columns,). Which of ``dates`` are shut, given those of the past (the first ones).

    A day of the week is shut when its last eight were; another day when it was on the same date of
    each of two years or more, or of one year if it lies around Christmas and New Year.
    """
    past = shut_before.size
    found = np.concatenate((shut_before, np.zeros(dates.size - past, bool)))
    days = weekday(dates)
    weekly = np.zeros(WEEK, bool)
    for day in range(WEEK):
        last = shut_before[days[:past] == day][-CERTAIN_WEEKS:]
        weekly[day] = last.size == CERTAIN_WEEKS and bool(last.all())
    found[past:] = weekly[days[past:]]
    month_days = (dates.astype("datetime64[D]") - dates.astype("datetime64[Y]")).astype(np.int64)
    leap = (dates.astype("datetime64[Y]").astype(np.int64) + 1970) % 4 == 0
    month_days = month_days - (leap & (month_days > LEAP_DAY))
    for column in range(past, dates.size):
        told = (month_days[:past] == month_days[column]) & ~weekly[days[:past]]
        years = shut_before[told]
        enough = 1 if month_days[column] >= TWELFTH_24 or month_days[column] <= 1 else 2
        found[column] |= years.size >= enough and bool(years.all())
    return found
