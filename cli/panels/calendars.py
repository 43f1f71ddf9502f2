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
        Problem: no holidays are known for the country, or it has no such part.
    """
    check(country)
    months = None if retail is None else RetailCalendar(pattern=PATTERNS[retail])
    return Calendar(country, months)


def check(country: str) -> None:
    """Looks a country up that is named. Raises Problem."""
    if not country or _is_known(country):
        return
    whole, _, part = country.partition("-")
    if part and _is_known(whole):
        raise Problem(
            f"of the country {whole!r} no part {part!r} is known",
            f"give {whole} alone, or another part by its ISO 3166-2 code",
        )
    raise Problem(
        f"no public holidays are known for the country {country!r}",
        "give its ISO 3166 code in capitals, with a part of it if need be, such as DE or DE-BE",
    )


def _is_known(country: str) -> bool:
    day = np.datetime64("2000-01-01", "D")
    if CODE.fullmatch(country) is None:  # The library would also take the names of its classes.
        return False
    try:
        named_holidays(country, day, day)
    except ValueError:
        return False
    return True


def check_dates(calendar: Calendar, *, counted: bool) -> None:
    """Raises Problem if the column ds holds no dates and the calendar is of them."""
    if counted and calendar != Calendar():
        raise Problem(
            "column ds counts periods, so that no holidays and months can be told",
            "give dates in ds, or leave out --country and --retail-calendar",
        )
