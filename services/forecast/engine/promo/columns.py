"""What each known column is, told from its values.

A column enters the response in the way its values suggest: two values make a flag, a few whole
numbers are codes, positive numbers act by their ratio, others by their distance from usual. Only
what is called a price is one however few values it had, so that others can be tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.panel import Panel

FLAG_VALUES = 2
MOST_CODES = 12  # Distinct whole numbers that are still taken for codes, not for amounts.
MOST_EVENTS = 60  # The same for a column that is one for all series and mostly at rest.
RARE_SHARE = 0.0005  # Codes seen more rarely than this have no term of their own.
MOSTLY = 0.95  # Of the cells positive: then zeros are gaps in the record, not a value.
EQUAL_SHARE = 0.1  # Of the cells in which a price and its regular price agree, at least.
BELOW_SHARE = 0.9  # Of the others in which the price is the lower one, at least.
NEAR = 1e-3  # Log ratio below which two prices agree.
MOVES = 30  # Changes from one period to the next, over all series, to learn from.
CHANCES = 20  # Sales that would have been, had it not been closed.
CLOSED_SHARE = 0.002  # Of usual sales, below which it was closed.
SAMPLE_ROWS = 1_000
PRICE = "price"


class Kind(Enum):
    FLAG = "flag"
    CODE = "code"
    RATIO = "ratio"  # Positive: acts by the logarithm of its ratio to usual.
    AMOUNT = "amount"  # Not negative, often 0: acts by log1p of its ratio to what is typical.
    SHARE = "share"  # From 0 to below 1: -log(1 - share), as a discount acts on a price.
    LINEAR = "linear"  # Signed: acts by its standardised distance from the mean.


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    low: float = 0.0  # FLAG: the value that is off. LINEAR: the mean.
    scale: float = 1.0  # LINEAR: standard deviation. AMOUNT: the median of what is positive.
    codes: tuple[float, ...] = ()  # CODE: values with a term of their own.
    over: str = ""  # RATIO: the column of regular prices that this one is divided by.


@dataclass(frozen=True, slots=True)
class Closer:
    """A column, and its value at which nothing is sold."""

    name: str
    value: float


def read(panel: Panel, origin: int, ahead: int) -> list[Column]:
    """The usable columns of ``panel``, judged by what was known before column ``origin``.

    A column is left out that does not change inside any series, that only counts time (a year, the
    number of a week: learned as a trend, it would be carried on for ever), or that is unknown in
    the last ``ahead`` columns of the panel, for which forecasts are made.
    """
    rows = slice(None, None, max(1, panel.series // SAMPLE_ROWS))
    past = {
        name: panel.known[name][rows, :origin]
        for name in sorted(panel.known)
        if _known_ahead(panel.known[name][rows], panel.dates.size - ahead)
    }
    told = (_told(name, values) for name, values in past.items())
    return _paired([column for column in told if column is not None], past)


def _known_ahead(values: Floats, origin: int) -> bool:
    past, future = np.isfinite(values[:, :origin]), np.isfinite(values[:, origin:])
    return bool(future.any() and past.any() and 2 * future.mean() >= past.mean())


def _told(name: str, past: Floats) -> Column | None:
    seen = past[np.isfinite(past)]
    both = np.isfinite(past[:, 1:]) & np.isfinite(past[:, :-1])
    same = np.array_equal(past, np.broadcast_to(past[0], past.shape), equal_nan=True)
    if same and _never_less(past[0]):
        return None
    changes = int((both & (past[:, 1:] != past[:, :-1])).sum())
    if changes < min(MOVES, max(2, past.shape[0])):
        return None
    if _is_price(name) and (seen > 0).all():
        return Column(name, Kind.RATIO)
    distinct, counts = np.unique(seen, return_counts=True)
    common = float(distinct[counts.argmax()])
    if distinct.size == FLAG_VALUES:
        return Column(name, Kind.FLAG, low=0.0 if 0.0 in distinct else common)
    if np.array_equal(distinct, np.round(distinct)) and (
        distinct.size <= MOST_CODES
        or (same and distinct.size <= MOST_EVENTS and 2 * counts.max() > seen.size)
    ):
        rank = np.argsort(np.where(distinct == common, 0, -counts), kind="stable")
        often = [
            i
            for i in rank[:MOST_CODES]
            if distinct[i] != common and counts[i] >= RARE_SHARE * seen.size
        ]
        return Column(name, Kind.CODE, codes=tuple(sorted(float(distinct[i]) for i in often)))
    return _of_numbers(name, seen)


def _is_price(name: str) -> bool:
    return name.lower() == PRICE or name.lower().endswith(f"_{PRICE}")


def _never_less(one: Floats) -> bool:
    """Whether a column that is the same for all series only counts time."""
    return bool((np.diff(one[np.isfinite(one)]) >= 0).all())


def _of_numbers(name: str, seen: Floats) -> Column:
    low, high = float(seen.min()), float(seen.max())
    if low >= 0 and (seen > 0).mean() > MOSTLY:
        return Column(name, Kind.RATIO)
    if low >= 0 and high < 1:
        return Column(name, Kind.SHARE)
    if low >= 0:
        return Column(name, Kind.AMOUNT, scale=float(np.median(seen[seen > 0])))
    return Column(name, Kind.LINEAR, low=float(seen.mean()), scale=float(seen.std()))


def _paired(columns: list[Column], past: Mapping[str, Floats]) -> list[Column]:
    """Divides a price by its regular price where two columns clearly are such a pair.

    The regular price need not change inside any series; the price must.
    """
    prices = [column.name for column in columns if column.kind is Kind.RATIO]
    moving = {column.name for column in columns}
    regulars = prices + [name for name in past if name not in moving]
    over: dict[str, str] = {}
    for price in prices:
        for regular in regulars:
            free = price != regular and price not in over and price not in over.values()
            if free and regular not in over and _is_below(past[price], past[regular]):
                over[price] = regular
    return [replace(column, over=over.get(column.name, "")) for column in columns]


def _is_below(price: Floats, regular: Floats) -> bool:
    both = (price > 0) & (regular > 0) & np.isfinite(price) & np.isfinite(regular)
    if both.mean() < MOSTLY * (price > 0).mean() or not both.any():
        return False
    ratio = np.log(price[both]) - np.log(regular[both])
    differs = np.abs(ratio) > NEAR
    if not differs.any() or 1 - differs.mean() < EQUAL_SHARE:
        return False
    return bool((ratio[differs] < 0).mean() > BELOW_SHARE)


def closers(panel: Panel, usable: Sequence[Column], origin: int) -> list[Closer]:
    """Flags at one value of which nothing sells, as on days that a shop is closed.

    It must have had the chance: had those cells sold like the others, there would have been twenty
    sales at least, and there was next to none.
    """
    units = panel.units[:, :origin]
    on = np.isfinite(units) & (np.cumsum(np.nan_to_num(units), axis=1) > 0)
    found = []
    for column in usable:
        if column.kind is not Kind.FLAG:
            continue
        values = panel.known[column.name][:, :origin]
        for value in np.unique(values[np.isfinite(values)]):
            here, there = on & (values == value), on & (values != value)
            if not here.any() or not there.any():
                continue
            chance = here.sum() * (units[there] > 0).mean()
            sold = units[here].mean() / max(float(units[there].mean()), 1e-12)
            if chance >= CHANCES and sold < CLOSED_SHARE:
                found.append(Closer(column.name, float(value)))
    return found


def closed(known: Mapping[str, Floats], by: Sequence[Closer]) -> Booleans | None:
    """(series, columns). Where nothing can be sold; None without closers."""
    cells = [known[closer.name] == closer.value for closer in by]
    return np.any(cells, axis=0) if cells else None
