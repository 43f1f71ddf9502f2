"""A simulated season as the engine sees it, with the truth beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from season import Season, demand, lifecycle, simulate
from season.presets import season_of
from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.exposure import uncensor
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

LAST_DAY = date(2026, 10, 31)
DAYS_APART = 37  # Between the ends of two seeds' seasons, so that all times of the year occur.


@dataclass(frozen=True)
class World:
    """Arrays of shape (series, days)."""

    season: Season
    panel: Panel  # What customers wanted; NaN when not on sale.
    sold: Floats
    empty: Booleans  # Whether the shelf was empty at the end of the day.
    expected: Floats  # The mean of the distribution that demand was drawn from.
    on_sale: Booleans
    taste: Floats  # (choices, days). Life and fashion alone: no year, week, promotion or weather.

    @property
    def days(self) -> int:
        return int(self.expected.shape[1])

    def seen(self) -> Panel:
        """Sales as they are, of full and of empty shelves alike."""
        return replace(self.panel, units=self.sold)

    def masked(self) -> Panel:
        """Sales, without the days that ended with an empty shelf."""
        return replace(self.seen(), exposure=np.where(self.empty, 0.0, 1.0))

    def uncensored(self) -> Panel:
        """What the engine makes of sales and empty shelves."""
        return uncensor(self.seen(), self.empty)


def world(seed: int, weeks: int = 60, stock_out_share: float = 0.08, styles: int = 16) -> World:
    """One seed's season; it ends at another time of the year than the next seed's."""
    end = LAST_DAY - timedelta(days=DAYS_APART * seed)
    config = season_of("atelier-nord", end, seed=seed, weeks=weeks)
    return of(simulate(replace(config, stock_out_share=stock_out_share, styles=styles)))


def of(season: Season) -> World:
    truth, plan = season.truth, season.plan
    on_sale = truth.on_sale.T
    style = plan.style_of_series
    discount = plan.discount.T[style]
    panel = Panel(
        Period.DAY,
        np.array(season.days, dtype="datetime64[D]"),
        np.where(on_sale, truth.demand.T, np.nan),
        known={"discount": discount},
        static=_static(season),
    )
    return World(
        season,
        panel,
        np.where(on_sale, truth.sold.T, np.nan),
        truth.stock_out.T,
        truth.expected.T,
        on_sale,
        _taste(season),
    )


def _static(season: Season) -> dict[str, Integers]:
    skus = [season.catalog.skus[index] for index in season.series.sku_index]
    styles = season.catalog.styles
    return {
        "category": _codes(styles[sku.style_index].category.name for sku in skus),
        "style": _codes(sku.style for sku in skus),
        "colour": _codes(sku.colour for sku in skus),
        "choice": np.array([sku.choice_index for sku in skus], dtype=np.int64),
        "size": _codes(sku.size for sku in skus),
        "store": season.series.store_index.astype(np.int64),
    }


def _taste(season: Season) -> Floats:
    plan = season.plan
    curves = np.stack([lifecycle.curve(life, len(season.days)) for life in plan.lives])
    style = np.zeros(len(season.catalog.choices), dtype=np.int64)
    for sku in season.catalog.skus:
        style[sku.choice_index] = sku.style_index
    return np.asarray(curves[style] * demand.taste(plan).T)


def _codes(names: Iterable[str]) -> Integers:
    return np.unique(list(names), return_inverse=True)[1].astype(np.int64)
