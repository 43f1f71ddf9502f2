"""What the retailer decides before the season: range, shops, launches, promotions."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from season import calendar, catalog, lifecycle, promotions, stores
from season.catalog import Catalog
from season.config import Place, SeasonConfig
from season.lifecycle import Life
from season.promotions import Promotion
from season.stores import Series


@dataclass(frozen=True, slots=True)
class Plan:
    config: SeasonConfig
    days: tuple[date, ...]
    catalog: Catalog
    stores: tuple[Place, ...]
    series: Series
    lives: tuple[Life, ...]  # One for each style.
    promotions: tuple[Promotion, ...]
    uplift: np.ndarray  # Shape (days, styles); 1 without a promotion.
    discount: np.ndarray  # Shape (days, styles); 0 without a promotion.

    @property
    def style_of_series(self) -> np.ndarray:
        """Shape (series,)."""
        of_sku = np.array([sku.style_index for sku in self.catalog.skus])
        found: np.ndarray = of_sku[self.series.sku_index]
        return found

    @property
    def choice_of_series(self) -> np.ndarray:
        """Shape (series,)."""
        of_sku = np.array([sku.choice_index for sku in self.catalog.skus])
        found: np.ndarray = of_sku[self.series.sku_index]
        return found


def build(config: SeasonConfig) -> Plan:
    days = calendar.dates(config)
    styles = catalog.build(config)
    shops = stores.build(config)
    series = stores.assort(config, styles, shops)
    lives = lifecycle.lives(config, styles, days)
    planned = promotions.plan(config, styles, lives, days)
    uplift, discount = promotions.effects(planned, styles, days)
    return Plan(config, days, styles, shops, series, lives, planned, uplift, discount)
