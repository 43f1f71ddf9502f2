"""Sales as the till writes them: lines on receipts, returns with a minus."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from season.catalog import CENT_MICROS
from season.plan import Plan
from season.stock import Shelves
from season.streams import stream

LINES_PER_RECEIPT = 1.7
PAIR_SHARE = 0.3  # Of pairs of units that leave on one line.
MOST_RETURNS = 999  # Numbers of return receipts begin again after it.


class SaleLine(NamedTuple):
    """One line, as `hemline.forecast.v1.SalesLine` wants it."""

    document: str
    store: str
    sku: str
    product: str  # The choice: `<style>/<colour>`.
    sale_date: str  # YYYY-MM-DD.
    units: int  # Negative for a return.
    unit_price_micros: int


@dataclass(frozen=True)
class SaleLines:
    """All lines, by day, store and receipt; columns of shape (lines,). Iterate for `SaleLine`."""

    day: np.ndarray
    series: np.ndarray
    receipt: np.ndarray  # Number of the receipt in its store and day; negative for returns.
    units: np.ndarray
    unit_price_micros: np.ndarray
    plan: Plan

    def __len__(self) -> int:
        return len(self.day)

    def __iter__(self) -> Iterator[SaleLine]:
        day_texts = [day.isoformat() for day in self.plan.days]
        pairs = zip(self.plan.series.store_index, self.plan.series.sku_index, strict=True)
        named = [
            (self.plan.stores[store].name, self.plan.catalog.skus[sku]) for store, sku in pairs
        ]
        columns = (self.day, self.series, self.receipt, self.units, self.unit_price_micros)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for day, series, receipt, units, price in rows:
            store, sku = named[series]
            number = f"{receipt:04d}" if receipt > 0 else f"R{-receipt:03d}"
            document = f"{store}-{day_texts[day].replace('-', '')}-{number}"
            yield SaleLine(document, store, sku.sku, sku.choice, day_texts[day], units, price)


def write_up(plan: Plan, shelves: Shelves) -> SaleLines:
    """Breaks daily sales up into receipt lines."""
    rng = stream(plan.config, "receipts")
    day, where, units = _lines(rng, shelves.sold)
    back_day, back_where = np.nonzero(shelves.returned)
    receipt = _receipts(rng, day * len(plan.stores) + plan.series.store_index[where])
    columns = [
        np.concatenate([day, back_day]),
        np.concatenate([where, back_where]),
        np.concatenate([receipt, -(np.arange(len(back_day)) % MOST_RETURNS + 1)]),
        np.concatenate([units, -shelves.returned[back_day, back_where]]),
    ]
    order = np.lexsort((columns[1], columns[2], plan.series.store_index[columns[1]], columns[0]))
    day, where, receipt, units = (column[order] for column in columns)
    return SaleLines(day, where, receipt, units, _prices(plan, day, where), plan)


def _prices(plan: Plan, day: np.ndarray, where: np.ndarray) -> np.ndarray:
    """What one unit cost that day, in millionths, rounded to cents, shape (lines,)."""
    style = plan.style_of_series[where]
    full = np.array([style.price_micros for style in plan.catalog.styles])[style]
    micros: np.ndarray = np.rint(full * (1 - plan.discount[day, style]) / CENT_MICROS)
    return micros.astype(np.int64) * CENT_MICROS


def _lines(rng: np.random.Generator, sold: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Splits units into lines of one or two. Returns day, series and units of each line."""
    day, where = np.nonzero(sold)
    units = sold[day, where]
    pairs = rng.binomial(units // 2, PAIR_SHARE)
    singles = units - 2 * pairs
    day = np.concatenate([np.repeat(day, singles), np.repeat(day, pairs)])
    where = np.concatenate([np.repeat(where, singles), np.repeat(where, pairs)])
    return day, where, np.repeat([1, 2], [singles.sum(), pairs.sum()])


def _receipts(rng: np.random.Generator, store_day: np.ndarray) -> np.ndarray:
    """Puts the lines of each store and day on receipts, numbered from 1."""
    lines = np.bincount(store_day)[store_day] if len(store_day) else store_day
    receipts = np.maximum(np.rint(lines / LINES_PER_RECEIPT), 1)
    numbers: np.ndarray = np.floor(rng.random(len(store_day)) * receipts).astype(np.int64) + 1
    return numbers
