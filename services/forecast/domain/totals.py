"""Totals over periods and over series, and what may be wrong with asking for them. Pure."""

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from services.chassis.errors import Aborted, FailedPrecondition
from services.forecast.domain.forecasts import Run
from services.forecast.domain.overrides import Served, moved_one

LEVELS = ("total", "store", "store_region", "category", "style", "product")


class NoTotals(FailedPrecondition):
    reason = "NO_TOTALS"

    def __init__(self) -> None:
        super().__init__("The run is of a version that kept no totals. Create a forecast run.")


class RunGone(Aborted):
    reason = "RUN_GONE"


class Spread(NamedTuple):
    """Quantiles of one number, or of one a period."""

    p10: list[float]
    p50: list[float]
    p90: list[float]


class Total(NamedTuple):
    """Demand over the first periods of a forecast together."""

    first_date: date
    last_date: date
    mean: float
    p10: float
    p50: float
    p90: float
    system_mean: float
    overrides: tuple[UUID, ...]  # Of the forecast; those that count in later periods, too.


class Aggregate(NamedTuple):
    """What a group of series adds up to, by period and over the whole horizon."""

    name: str
    mean: list[float]
    spread: Spread
    horizon_mean: float
    horizon_spread: tuple[float, float, float]


def total_of(run: Run, served: Served, cumulative: Spread, periods: int) -> Total:
    """The total of the first ``periods``. Quantiles move with the mean, as `apply` moves them.

    Args:
        run: that the forecast is of.
        served: the forecast, overrides applied.
        cumulative: the system's quantiles of the first 1, 2, ... periods together.
        periods: at least 1, at most as many as are forecast.
    """
    mean = sum(served.forecast.mean[:periods])
    system = sum(served.system_mean[:periods])
    quantiles = [values[periods - 1] for values in cumulative]
    p10, p50, p90 = (moved_one(value, system, quantiles[-1], mean) for value in quantiles)
    first = run.cutoff_date + timedelta(days=1)
    last = run.cutoff_date + timedelta(days=periods * run.period_days)
    return Total(first, last, mean, p10, p50, p90, system, served.overrides)
