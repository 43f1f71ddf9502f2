"""Calendars that need no file: a country's public holidays, a retailer's months of whole weeks."""

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import holidays
import numpy as np

from cli.panels.calendars import PATTERNS, check
from services.forecast.engine.calendar_events import SUNDAY
from services.forecast.engine.retail_calendar import RetailCalendar

ENGLISH = "en_US"  # So that a holiday of two countries has one name, where the library knows it.
MOST_CHARACTERS = 63
WEEK_53 = 53
REMARK = re.compile(r"\([^)]*\)")  # `(observed)`, `(estimated)`: the same day for shops.


@dataclass(frozen=True, slots=True)
class Wanted:
    country: str  # ISO 3166, perhaps `-` and a part; empty: no holidays.
    retail: str | None  # A key of PATTERNS.
    first: date
    last: date  # Included.
    closed: bool  # Whether stores are closed on holidays.


class Row(NamedTuple):
    """A row of a calendar file; the fields are its header."""

    event: str
    start: date
    end: date
    closed: str


def write(wanted: Wanted, folder: Path) -> Path:
    """Writes the calendar as a file that `hemline import calendar` reads.

    Raises:
        Problem: no holidays are known for the country.
    """
    check(wanted.country)
    path = folder / f"{'_'.join(filter(None, (wanted.country, wanted.retail)))}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(Row._fields)
        rows.writerows([*_holidays(wanted), *_months(wanted)])
    return path


def _holidays(wanted: Wanted) -> Iterator[Row]:
    if not wanted.country:
        return
    code, _, part = wanted.country.partition("-")
    years = range(wanted.first.year, wanted.last.year + 1)
    found = holidays.country_holidays(code, subdiv=part or None, years=years, language=ENGLISH)
    for day in sorted(found):
        if wanted.first <= day <= wanted.last:
            # Two on one day are one event: what the first does, it does with the second.
            name = slug(found.get_list(day)[0])
            yield Row(name, day, day, "yes" if wanted.closed else "no")


def _months(wanted: Wanted) -> Iterator[Row]:
    """The first week of each month, and each week 53, from Monday to Sunday."""
    if wanted.retail is None:
        return
    calendar = RetailCalendar(end_weekday=SUNDAY, pattern=PATTERNS[wanted.retail])
    monday = wanted.first - timedelta(days=wanted.first.weekday())
    days = np.arange(np.datetime64(monday - timedelta(days=7)), np.datetime64(wanted.last) + 1, 7)
    placed = calendar.read(days)
    begins = np.diff(placed.month, prepend=placed.month[:1]) != 0
    for name, at in (("retail-month", begins), ("week-53", placed.week == WEEK_53)):
        for day in days[at].tolist():
            yield Row(name, day, day + timedelta(days=6), "no")


def slug(name: str) -> str:
    """A name as events have it: 1 to 63 of a-z, 0-9 and hyphens."""
    plain = unicodedata.normalize("NFKD", REMARK.sub("", name)).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower().replace("'", "")).strip("-")
    return words[:MOST_CHARACTERS].strip("-") or "public-holiday"
