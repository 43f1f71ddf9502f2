"""What a panel's owner knows of the time beyond its dates: a country, the retailer's months."""

import re

import numpy as np

from cli.problems import Problem
from services.forecast.engine.calendar_events import named_holidays
from services.forecast.engine.promo import Calendar
from services.forecast.engine.retail_calendar import RetailCalendar

PATTERNS = {"4-4-5": (4, 4, 5), "4-5-4": (4, 5, 4), "5-4-4": (5, 4, 4)}
"""Weeks of the months of a quarter."""
CODE = re.compile(r"[A-Z]{2}(-.+)?")


def calendar(country: str, retail: str | None) -> Calendar:
    """The calendar of a country, perhaps empty, and of a key of PATTERNS.

    Raises:
        Problem: no holidays are known for the country.
    """
    check(country)
    months = None if retail is None else RetailCalendar(pattern=PATTERNS[retail])
    return Calendar(country, months)


def check(country: str) -> None:
    """Looks a country up that is named. Raises Problem."""
    day = np.datetime64("2000-01-01", "D")
    try:
        # The library would also take the names of its classes.
        known = CODE.fullmatch(country) is not None
        if known:
            named_holidays(country, day, day)
    except ValueError:
        known = False
    if country and not known:
        raise Problem(
            f"no public holidays are known for the country {country!r}",
            "give its ISO 3166 code in capitals, with a part of it if need be, such as DE or DE-BE",
        )


def check_dates(calendar: Calendar, *, counted: bool) -> None:
    """Raises Problem if the column ds holds no dates and the calendar is of them."""
    if counted and calendar != Calendar():
        raise Problem(
            "column ds counts periods, so that no holidays and months can be told",
            "give dates in ds, or leave out --country and --retail-calendar",
        )
