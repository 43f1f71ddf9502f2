"""Weekly demand of groups of series, adjusted for exposure."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Dates, Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import WEEK_DAYS, Period

LEAST_EXPOSURE = 0.05
"""Of a group's usual demand. Below, what sold says too little about what was wanted."""


@dataclass(frozen=True, slots=True)
class Index:
    """Arrays of shape (groups, steps). A step is a week, or a month of a monthly panel."""

    demand: Floats  # Units sold over the exposure; NaN before a group's first sale or unexposed.
    units: Floats  # Units sold.
    dates: Dates  # (steps,). First day of each step.
    year: float  # Steps in a year.

    def until(self, stop: int) -> "Index":
        """The index as it was known after its first ``stop`` steps."""
        return Index(self.demand[:, :stop], self.units[:, :stop], self.dates[:stop], self.year)


def demand_index(panel: Panel, groups: Integers, uplift: Floats | None = None) -> Index:
    """Adds series up to groups and days to weeks, the last of which ends with the panel.

    Exposure is weighted with the series' own level, so that an empty shelf of a slow seller
    hardly counts.

    Args:
        panel: the history.
        groups: (series,). The group of each series, from 0; -1 leaves a series out.
        uplift: (series, periods). Demand of each period over demand without its promotion.
    """
    chosen = groups >= 0
    codes, count = groups[chosen], int(groups.max(initial=-1)) + 1
    units = np.nan_to_num(panel.units[chosen])
    share = np.ones_like(units) if panel.exposure is None else panel.exposure[chosen]
    share = share if uplift is None else share * uplift[chosen]
    carried = ~np.isnan(panel.units[chosen])
    exposed = (share * carried).sum(axis=1, keepdims=True)
    level = units.sum(axis=1, keepdims=True) / np.maximum(exposed, 1e-9)
    whole = add_up(level * carried, codes, count)
    there = add_up(level * carried * share, codes, count)
    sold = add_up(units, codes, count)
    steps = WEEK_DAYS if panel.period is Period.DAY else 1
    skip = panel.periods % steps
    sold, whole, there = (_blocks(part[:, skip:], steps) for part in (sold, whole, there))
    exposure = np.where(whole > 0, there / np.maximum(whole, 1e-12), 1.0)
    began = np.cumsum(sold, axis=1) > 0
    known = began & (exposure >= LEAST_EXPOSURE)
    demand = np.where(known, sold / np.maximum(exposure, LEAST_EXPOSURE), np.nan)
    return Index(demand, sold, panel.dates[skip : panel.periods : steps], panel.period.year / steps)


def add_up(values: Floats, codes: Integers, count: int) -> Floats:
    """(count, columns). Sums of the rows with each code."""
    total = np.zeros((count, values.shape[1]))
    np.add.at(total, codes, values)
    return total


def _blocks(values: Floats, size: int) -> Floats:
    summed: Floats = values.reshape(values.shape[0], -1, size).sum(axis=2)
    return summed
