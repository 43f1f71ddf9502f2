"""Daily sales and empty shelves to demand of whole periods. Arrays alone: no database."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.exposure import uncensor
from services.forecast.engine.panel import Panel
from services.forecast.panels.grid import Grid

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Shelf:
    """When the shelf of one series ran empty, and when it was filled. Days count from the grid's.

    Days before the first are unknown, as are days after the last of the store.
    """

    days: Integers  # (changes,). Ascending; may lie before the grid.
    empty: Booleans  # (changes,). Whether the day ended with an empty shelf, as do those after it.

    def on(self, days: int, last: int) -> Booleans:
        """(days,). Whether each day ended with an empty shelf; not if that is unknown."""
        found = np.zeros(days, dtype=np.bool_)
        at = np.searchsorted(self.days, np.arange(days), side="right") - 1
        known = (at >= 0) & (np.arange(days) <= last)
        found[known] = self.empty[at[known]]
        return found

    def first_filled(self) -> int | None:
        """The first day that ended with anything on the shelf."""
        filled = np.flatnonzero(~self.empty)
        return int(self.days[filled[0]]) if filled.size else None


def settled(units: Floats, empty: Booleans, grid: Grid) -> tuple[Floats, Floats]:
    """Demand behind daily sales, added up to periods, and the share of each period on the shelf.

    Args:
        units: (series, days) of `grid.daily()`, not negative, NaN before a series begins.
        empty: (series, days). Whether the day ended with an empty shelf.
        grid: whose past the days are.

    Returns:
        Units, NaN where no day is known, and exposure; both (series, periods).
    """
    fine = grid.daily()
    panel = uncensor(Panel(period=fine.period, dates=fine.dates, units=units), empty)
    known = ~np.isnan(panel.units)
    starts = ((grid.edges[: grid.periods] - grid.edges[0]) / DAY).astype(np.int64)
    lengths = np.diff(np.append(starts, fine.periods))
    days = np.add.reduceat(known, starts, axis=1, dtype=np.float64)
    sums = np.add.reduceat(np.where(known, panel.units, 0.0), starts, axis=1)
    exposed = known * (1.0 if panel.exposure is None else panel.exposure)
    shares = np.add.reduceat(exposed, starts, axis=1) / lengths
    return np.where(days > 0, sums, np.nan), np.where(days > 0, shares, 1.0)
