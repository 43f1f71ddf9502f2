"""What a run reads and makes, as arrays that cross a process border.

The worker gets numbers alone: it never learns a tenant, a store or an SKU by name.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO

import numpy as np

from services.forecast.daily import Outcome
from services.forecast.panel import Floats, Integers, Panel
from services.forecast.trends import Trends


@dataclass(frozen=True, slots=True)
class History:
    """Daily sales of numbered series. Days without a row sold nothing."""

    first_date: date
    days: int  # Up to and including the cutoff.
    stores: Integers  # (series,)
    products: Integers  # (series,)
    row_series: Integers  # (rows,) The series, the day and the
    row_days: Integers  # (rows,)
    row_units: Integers  # (rows,) units, returns taken off, of one day of one series.

    @property
    def cutoff_date(self) -> date:
        return self.first_date + timedelta(days=self.days - 1)

    def panel(self) -> Panel:
        """The history on a full grid; a day on which more came back than went counts as 0."""
        units = np.zeros((self.days, self.stores.size))
        units[self.row_days, self.row_series] = np.maximum(self.row_units, 0)
        return Panel(self.first_date, units, self.stores)


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found."""

    mean: Floats  # (horizon, series)
    quantiles: Floats  # (3, horizon, series)
    coverage: float
    wape: float
    trends: Trends


def pack_history(history: History, horizon: int) -> bytes:
    return _packed(
        first_day=np.int64(history.first_date.toordinal()),
        days=np.int64(history.days),
        horizon=np.int64(horizon),
        stores=history.stores,
        products=history.products,
        row_series=history.row_series,
        row_days=history.row_days,
        row_units=history.row_units,
    )


def unpack_history(data: bytes) -> tuple[History, int]:
    """Returns the history and the horizon."""
    with np.load(BytesIO(data), allow_pickle=False) as found:
        history = History(
            first_date=date.fromordinal(int(found["first_day"])),
            days=int(found["days"]),
            stores=found["stores"],
            products=found["products"],
            row_series=found["row_series"],
            row_days=found["row_days"],
            row_units=found["row_units"],
        )
        return history, int(found["horizon"])


def pack_outcome(outcome: Outcome) -> bytes:
    trends = outcome.trends
    return _packed(
        mean=outcome.mean,
        quantiles=outcome.quantiles,
        score=np.array([outcome.score.coverage, outcome.score.wape]),
        trend_product=trends.product,
        trend_growth=np.stack([trends.growth, trends.growth_p10]),
        trend_units=np.stack([trends.recent_units, trends.previous_units]),
    )


def unpack_outcome(data: bytes) -> Result:
    with np.load(BytesIO(data), allow_pickle=False) as found:
        coverage, wape = found["score"].tolist()
        growth, units = found["trend_growth"], found["trend_units"]
        trends = Trends(found["trend_product"], growth[0], growth[1], units[0], units[1])
        return Result(found["mean"], found["quantiles"], coverage, wape, trends)


def _packed(**arrays: np.ndarray | np.int64) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
