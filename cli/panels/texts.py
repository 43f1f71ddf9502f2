"""Dates as text: ISO 8601, or the one format that fits every cell."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, product

DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d/%m/%y",
    "%m/%d/%y", "%Y%m", "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%b-%Y", "%B %Y", "%b-%y",
    "%YM%m", "%Y-M%m",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


@dataclass(frozen=True, slots=True)
class Parsed:
    moments: list[datetime]  # Without a time zone: what a clock on the wall showed.
    write: Callable[[datetime], str]


def parse(cells: Sequence[str]) -> Parsed | None:
    """Reads ``cells``, all in one format; None if there is no such format.

    Where day and month may be either, the reading with the steadier steps is taken: weeks and month
    starts betray themselves.
    """
    if iso := _iso(cells):
        return Parsed(iso, _like(cells[0], iso[0]))
    readings = [
        Parsed(found, _in(each))
        for each in ("".join(pair) for pair in product(DATES, TIMES))
        if (found := _formatted(cells, each))
    ]
    return min(readings, key=lambda reading: _unsteadiness(reading.moments), default=None)


def odd(cells: Sequence[str]) -> str:
    """A cell that is no date by itself, else any."""
    return next((cell for cell in cells if parse([cell]) is None), cells[0])


def _iso(cells: Sequence[str]) -> list[datetime]:
    try:
        return [datetime.fromisoformat(cell).replace(tzinfo=None) for cell in cells]
    except ValueError:
        return []


def _formatted(cells: Sequence[str], template: str) -> list[datetime]:
    try:
        return [datetime.strptime(cell, template) for cell in cells]  # noqa: DTZ007 - wall clock
    except ValueError:
        return []


def _unsteadiness(moments: Sequence[datetime]) -> float:
    """Longest over shortest step between distinct moments."""
    ordered = sorted(set(moments))
    steps = [(later - earlier).total_seconds() for earlier, later in pairwise(ordered)]
    return max(steps) / min(steps) if steps else 1.0


def _in(template: str) -> Callable[[datetime], str]:
    return lambda moment: moment.strftime(template)


def _like(cell: str, moment: datetime) -> Callable[[datetime], str]:
    """Writes dates as ``cell`` does, with its time of day and zone if it has them."""
    for template in ("%Y-%m-%d", "%Y%m%d"):
        if (date := moment.strftime(template)) in cell:
            before, _, after = cell.partition(date)
            if not re.search(r"\d", after):
                return _in(template)
            return lambda new: f"{before}{new.strftime(template)}{_clock(after, new)}"
    return lambda new: new.isoformat()


def _clock(after: str, moment: datetime) -> str:
    """The part of a cell behind its date, with the time of day of ``moment``."""
    found = re.match(r"([T ])(\d\d):(\d\d)(:\d\d)?", after)
    if not found:
        return after
    seconds = f":{moment:%S}" if found[4] else ""
    return f"{found[1]}{moment:%H:%M}{seconds}{after[found.end() :]}"
