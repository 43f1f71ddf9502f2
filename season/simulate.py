"""One season, from configuration to sales, with the truth beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from season import demand, plan, sales, stock
from season.catalog import Catalog
from season.config import Place, SeasonConfig
from season.promotions import Promotion
from season.sales import SaleLines
from season.stores import Series


class StockCount(NamedTuple):
    """What is left on a shelf after the last day."""

    store: str
    sku: str
    on_hand_units: int
    style: str
    colour: str
    size: str
    category: str


class StockDay(NamedTuple):
    """What is left on a shelf after a day on which that changed."""

    date: date
    store: str
    sku: str
    on_hand_units: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What no retailer ever knows. Arrays of shape (days, series)."""

    expected: np.ndarray  # Mean of the distribution that demand was drawn from, units; float64.
    demand: np.ndarray  # Units wanted; int64.
    sold: np.ndarray  # Units sold: min(demand, available); int64.
    available: np.ndarray  # Units on hand when the shop opened; int64.
    on_sale: np.ndarray  # Whether the style was in its life; bool.

    @property
    def stock_out(self) -> np.ndarray:
        """Days on sale that ended with an empty shelf: sales are then only a bound of demand."""
        empty: np.ndarray = self.on_sale & (self.available == self.sold)
        return empty

    @property
    def stock_out_share(self) -> float:
        """Of series-days on sale."""
        return float(self.stock_out[self.on_sale].mean())

    @property
    def lost_share(self) -> float:
        """Of units wanted: those that were not sold."""
        return 1 - float(self.sold.sum() / max(self.demand.sum(), 1))


@dataclass(frozen=True, slots=True)
class Season:
    plan: plan.Plan
    sales: SaleLines
    shelves: stock.Shelves
    truth: Truth

    @property
    def config(self) -> SeasonConfig:
        return self.plan.config

    @property
    def days(self) -> tuple[date, ...]:
        return self.plan.days

    @property
    def catalog(self) -> Catalog:
        return self.plan.catalog

    @property
    def stores(self) -> tuple[Place, ...]:
        return self.plan.stores

    @property
    def series(self) -> Series:
        return self.plan.series

    @property
    def promotions(self) -> tuple[Promotion, ...]:
        return self.plan.promotions

    @property
    def opening(self) -> Iterator[StockCount]:
        """First deliveries, of the series that had one, by store and SKU of the range."""
        available = self.truth.available
        first_day = (available > 0).argmax(axis=0)
        counts = self._counts(available[first_day, range(len(self.series))].tolist())
        return (count for count in counts if count.on_hand_units)

    @property
    def stock(self) -> Iterator[StockCount]:
        """Closing levels of all series, by store and SKU of the range."""
        return self._counts(self.shelves.closing[-1].tolist())

    @property
    def stock_days(self) -> Iterator[StockDay]:
        """Closing levels of the first day with stock, and of each on which the level changed."""
        closing = self.shelves.closing
        changed = np.diff(closing, axis=0, prepend=np.zeros_like(closing[:1])) != 0
        first = (self.truth.available > 0).argmax(axis=0)
        changed[first, range(len(self.series))] |= self.truth.available.any(axis=0)
        stores = [self.stores[index].name for index in self.series.store_index]
        skus = [self.catalog.skus[index].sku for index in self.series.sku_index]
        where, day = np.nonzero(changed.T)
        levels = closing[day, where]
        for at, on, level in zip(where.tolist(), day.tolist(), levels.tolist(), strict=True):
            yield StockDay(self.days[on], stores[at], skus[at], level)

    def _counts(self, levels: list[int]) -> Iterator[StockCount]:
        pairs = zip(self.series.store_index, self.series.sku_index, levels, strict=True)
        for store, sku_index, units in pairs:
            sku = self.catalog.skus[sku_index]
            category = self.catalog.styles[sku.style_index].category.name
            yield StockCount(
                self.stores[store].name, sku.sku, units, sku.style, sku.colour, sku.size, category
            )


def simulate(config: SeasonConfig) -> Season:
    """Simulates one season. 800 series of 60 weeks take about 0.3 s of CPU."""
    planned = plan.build(config)
    wanted = demand.draw(planned)
    shelves = stock.run(planned, wanted)
    lines = sales.write_up(planned, shelves)
    truth = Truth(wanted.expected, wanted.units, shelves.sold, shelves.available, wanted.on_sale)
    return Season(planned, lines, shelves, truth)
