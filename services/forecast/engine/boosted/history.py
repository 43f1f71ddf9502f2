"""Running sums over the past of some series: any window's mean is then two look-ups."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

DISCOUNT = {Period.DAY: 0.97, Period.WEEK: 0.88, Period.MONTH: 0.8}  # Of the level.
QUICKER = 3.0  # Times as fast forgets the quick level.
LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class History:
    """Sums over the columns before each column, so of one column more than there are.

    "Ordinary" periods are what periods would be without promotions and season: a period counts as
    many of them as its multiplier says, times the share of it that is known.
    """

    units: Floats  # (series, periods). 0 where nothing is known.
    ordinary: Floats  # (series, periods). 0 where nothing is known.
    shelf: Floats  # (series, periods). Share of the period on the shelf; 0 where nothing is known.
    level: Floats  # (series, periods + 1). Discounted units per ordinary period.
    quick: Floats  # (series, periods + 1). The same, of a shorter memory.
    sums: Floats  # (series, periods + 1). Of units.
    ordinaries: Floats  # (series, periods + 1). Of ordinary periods.
    squares: Floats  # (series, periods + 1). Of units per ordinary period, squared.
    known: Floats  # (series, periods + 1). Count of periods of which something is known.
    sold: Floats  # (series, periods + 1). Count of periods in which something sold.
    last: Integers  # (series, periods + 1). Columns until after the last sale; 0 if none.
    first: Integers  # (series,). Column of the first sale; `periods` if none.

    @property
    def periods(self) -> int:
        return int(self.units.shape[1])


def read(panel: Panel, log_multiplier: NDArray[np.float32]) -> History:
    """The history of ``panel``. ``log_multiplier`` is (series, periods or more)."""
    weight = np.isfinite(panel.units).astype(np.float64)
    if panel.exposure is not None:
        weight *= np.clip(np.nan_to_num(panel.exposure, nan=1.0), 0.0, 1.0)
    units = np.where(weight > 0, panel.units, 0.0)
    multiplier = np.exp(log_multiplier[:, : panel.periods], dtype=np.float64)
    ordinary = weight * multiplier
    discount = DISCOUNT[panel.period]
    sold = units > 0
    until = np.where(sold, np.arange(1, panel.periods + 1), 0)
    last = np.zeros((panel.series, panel.periods + 1), dtype=np.int64)
    np.maximum.accumulate(until, axis=1, out=last[:, 1:])
    return History(
        units=units,
        ordinary=ordinary,
        shelf=weight,
        level=_discounted(units, ordinary, discount),
        quick=_discounted(units, ordinary, 1.0 - QUICKER * (1.0 - discount)),
        sums=_summed(units),
        ordinaries=_summed(ordinary),
        squares=_summed((units / multiplier) ** 2),
        known=_summed(weight > 0),
        sold=_summed(sold),
        last=last,
        first=np.where(sold.any(axis=1), sold.argmax(axis=1), panel.periods),
    )


def ratio(above: Floats, below: Floats) -> Floats:
    """NaN where nothing is below."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > LEAST, above / below, np.nan)


def _summed(values: NDArray[np.generic]) -> Floats:
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def _discounted(units: Floats, ordinary: Floats, discount: float) -> Floats:
    """(series, periods + 1). Discounted sums' ratio before each column; 0 before anything sold."""
    found = np.zeros((units.shape[0], units.shape[1] + 1))
    above, below = np.zeros(units.shape[0]), np.zeros(units.shape[0])
    for column in range(units.shape[1]):
        above = above * discount + units[:, column]
        below = below * discount + ordinary[:, column]
        found[:, column + 1] = above / np.maximum(below, LEAST)
    return found
