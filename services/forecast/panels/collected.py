"""Collects what was read of each series as rows of a panel. Arrays alone: no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from services.forecast.domain.panels import SeriesName
from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.panels.demand import Shelf, settled
from services.forecast.panels.grid import Grid

Shelves = dict[tuple[str, str], Shelf]
"""By store and SKU."""
BLOCK_SERIES = 1_024
"""Series whose days are in memory at once: four years of them take 12 MB an array."""
UNBELIEVABLE_SHARE = 0.5
"""Of days with sales: those that began and ended with an empty shelf."""
RECENT_DAYS = 84
"""How far back the revenue reaches by which series are weighted."""


@dataclass(frozen=True, slots=True)
class Sold:
    """What one series sold. Arrays are (entries,), in no order."""

    name: SeriesName
    columns: Integers
    units: Floats  # Returns taken off.
    gross_units: Floats  # Returns not taken off.
    revenue: Floats  # Of them.


@dataclass(slots=True)
class Collected:
    """What was read, row by row. Arrays are (periods,)."""

    names: list[SeriesName] = field(default_factory=list)
    units: list[Floats] = field(default_factory=list)
    exposure: list[Floats] = field(default_factory=list)  # Empty where no stock is known at all.
    gross_units: list[Floats] = field(default_factory=list)
    revenue: list[Floats] = field(default_factory=list)

    def sort(self) -> None:
        """By store and SKU."""
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        self.names = [self.names[at] for at in order]
        for rows in (self.units, self.exposure, self.gross_units, self.revenue):
            rows[:] = [rows[at] for at in order]

    def weights(self, grid: Grid) -> Floats:
        """(series,). Revenue of the last weeks; units, if nothing has a price."""
        past = grid.dates[: grid.periods]
        recent = past > past[-1] - RECENT_DAYS
        revenue: Floats = stacked(self.revenue, grid)[:, recent].sum(axis=1)
        units: Floats = stacked(self.gross_units, grid)[:, recent].sum(axis=1)
        return revenue if revenue.any() else units


class Days:
    """Series of one shard read day by day, settled a block at a time."""

    def __init__(self, grid: Grid, shelves: Shelves, last_days: Mapping[str, int]) -> None:
        """Begins a shard.

        Args:
            grid: of the panel.
            shelves: of the series of the shard.
            last_days: the last day of each store whose stock is known, counted from the grid's.
        """
        self._grid = grid
        self._days = grid.daily().periods
        self._columns = np.searchsorted(grid.edges, grid.daily().dates, side="right") - 1
        self._found = Collected()
        self._shelves = dict(shelves)
        self._last_days = last_days
        self._units: list[Floats] = []
        self._empty: list[Booleans] = []

    def add(self, sold: Sold) -> None:
        """Adds a series whose columns are days."""
        shelf = self._shelves.pop(sold.name[:2], None)
        if shelf is not None and self._contradict(sold, shelf):
            shelf = None
        self._put(sold.name, _net(sold, self._days), shelf)
        columns = self._columns[sold.columns]
        self._found.gross_units.append(_placed(columns, sold.gross_units, self._grid.periods))
        self._found.revenue.append(_placed(columns, sold.revenue, self._grid.periods))

    def end(self, products: Mapping[str, str]) -> Collected:
        """Adds what was stocked but never sold within the grid, and returns all, sorted.

        Args:
            products: by SKU.
        """
        for (store, sku), shelf in self._shelves.items():
            if shelf.first_filled() is not None:
                name = SeriesName(store, sku, products[sku])
                self._put(name, np.full(self._days, np.nan), shelf)
                self._found.gross_units.append(np.zeros(self._grid.periods))
                self._found.revenue.append(np.zeros(self._grid.periods))
        self._settle()
        self._found.sort()
        return self._found

    def _contradict(self, sold: Sold, shelf: Shelf) -> bool:
        """Whether it sold mostly on days that began and ended with an empty shelf.

        Such a count is of something else, or not kept. A delivery may sell out on its day, but not
        as a rule.
        """
        empty = shelf.on(self._days, self._last_days[sold.name.store])
        days = sold.columns[(sold.gross_units > 0) & (sold.columns > 0)]
        return bool((empty[days] & empty[days - 1]).sum() > UNBELIEVABLE_SHARE * max(days.size, 1))

    def _put(self, name: SeriesName, units: Floats, shelf: Shelf | None) -> None:
        empty = np.zeros(self._days, dtype=np.bool_)
        if shelf is not None:
            empty = shelf.on(self._days, self._last_days[name.store])
            filled = shelf.first_filled()
            if filled is not None:
                # It was for sale from then on, if not before.
                begun = units[max(filled, 0) :]
                begun[np.isnan(begun)] = 0.0
        self._found.names.append(name)
        self._units.append(units)
        self._empty.append(empty)
        if len(self._units) == BLOCK_SERIES:
            self._settle()

    def _settle(self) -> None:
        if self._units:
            units, exposure = settled(np.stack(self._units), np.stack(self._empty), self._grid)
            self._found.units.extend(units)
            self._found.exposure.extend(exposure)
            self._units.clear()
            self._empty.clear()


class Periods:
    """Series of one shard read by whole periods: nothing is known of their shelves."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._found = Collected()

    def add(self, sold: Sold) -> None:
        """Adds a series whose columns are those of the grid."""
        self._found.names.append(sold.name)
        self._found.units.append(_net(sold, self._grid.periods))
        for rows, values in (
            (self._found.gross_units, sold.gross_units),
            (self._found.revenue, sold.revenue),
        ):
            rows.append(_placed(sold.columns, values, self._grid.periods))

    def end(self, _products: Mapping[str, str]) -> Collected:
        return self._found


def _net(sold: Sold, columns: int) -> Floats:
    """(columns,). NaN before the first sale. Where more came back than went, nothing sold."""
    units = np.maximum(_placed(sold.columns, sold.units, columns), 0.0)
    units[: sold.columns.min()] = np.nan
    return units


def _placed(columns: Integers, values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(columns, values, count), dtype=np.float64)


def stacked(rows: list[Floats], grid: Grid) -> Floats:
    """(series, periods)."""
    return np.stack(rows) if rows else np.empty((0, grid.periods))
