"""Trends of groups, from a panel."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.trends.index import Index, demand_index
from services.forecast.engine.trends.momentum import Momentum, momentum
from services.forecast.engine.trends.outlook import outlook
from services.forecast.engine.trends.season import Season, season
from services.forecast.engine.trends.states import chance, states

WINDOW_YEARS = 8 / 52
YOUNG_YEARS = 0.25


@dataclass(frozen=True, slots=True)
class Trends:
    """Arrays of shape (groups,) unless said. Growth is in logs, over one window (8 weeks)."""

    index: Index
    season: Season  # Reaches one window past the index.
    momentum: Momentum  # Growth net of the season.
    season_ahead: Floats  # What the season alone makes of the next window.
    outlook: Floats  # Both: expected growth of the next window over the last.
    outlook_deviation: Floats
    chance: Floats  # Probability that the growth net of the season is positive.
    state: Integers  # See `State`.
    age: Integers  # Steps since the first sale.
    order: Integers  # Groups that sold in the last two windows, by what surely grows most.


def find_trends(
    panel: Panel, groups: Integers, kin: Integers | None = None, uplift: Floats | None = None
) -> Trends:
    """Describes the trend of every group of series at the end of ``panel``.

    Args:
        panel: the history; less than a year of it leaves the season unknown.
        groups: (series,). The group of each series, from 0; -1 leaves a series out, which is how
            to filter by attribute or store. To filter by period, give `panel.until(...)`.
        kin: (groups,). Codes of groups that share a season, such as the categories of styles; None
            if all groups do.
        uplift: (series, periods). Demand of each period over demand without its promotion, which
            is then no trend; see `promotion_uplift`.
    """
    index = demand_index(panel, groups, uplift)
    steps = index.demand.shape[1]
    window = max(2, round(WINDOW_YEARS * index.year))
    seasonal = season(index, window, kin)
    now = momentum(index.demand, seasonal, steps, window)
    before = momentum(index.demand, seasonal, max(steps - window, 0), window)
    ahead = _window_log(seasonal.log[:, steps:]) - _window_log(
        seasonal.log[:, max(steps - window, 0) : steps]
    )
    age = np.where(index.units.any(axis=1), steps - (index.units > 0).argmax(axis=1), 0)
    state = states(now, before, age, round(YOUNG_YEARS * index.year))
    lower = now.shrunk - now.deviation
    order = np.lexsort((np.arange(lower.size), -lower))
    sold = index.units[:, -2 * window :].sum(axis=1) > 0
    expected, deviation = outlook(index, seasonal, window, kin)
    return Trends(
        index, seasonal, now, ahead, expected, deviation, chance(now), state, age,
        order[sold[order]],
    )  # fmt: skip


def _window_log(seasonal: Floats) -> Floats:
    if seasonal.shape[1] == 0:
        return np.zeros(seasonal.shape[0])
    mean: Floats = np.log(np.exp(seasonal).mean(axis=1))
    return mean
