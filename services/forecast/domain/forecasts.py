"""Runs and their forecasts, and what may be wrong with asking for them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.errors import Aborted, FailedPrecondition, NotFound

DEFAULT_HORIZON_DAYS = 28
MOST_HORIZON_DAYS = 91
KEPT_RUNS = 3
"""Forecasts of older runs are deleted; that the runs were made is remembered."""
MOST_CELLS = 1_000_000_000
"""Of one run. Memory does not limit it, since a run is cut into shards, but disk and time do."""
RESULTS = 4
"""A day ahead has a mean and three quantiles for each series."""


class NoSales(FailedPrecondition):
    reason = "NO_SALES"


class NoRun(FailedPrecondition):
    reason = "NO_RUN"


class HistoryTooLarge(FailedPrecondition):
    reason = "HISTORY_TOO_LARGE"


class RunInProgress(Aborted):
    reason = "RUN_IN_PROGRESS"


class ForecastNotFound(NotFound):
    reason = "FORECAST_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class RunRequest:
    request_id: UUID
    horizon_days: int


@dataclass(frozen=True, slots=True)
class Extent:
    """How much history there is to learn from."""

    first_date: date
    last_date: date  # The cutoff.
    series: int

    @property
    def days(self) -> int:
        return (self.last_date - self.first_date).days + 1


def check_size(extent: Extent, horizon_days: int, most_cells: int) -> None:
    """Refuses a run that would take more memory than one tenant may have of its region.

    Raises:
        HistoryTooLarge: series x (days of history + results of each day ahead) is too many.
    """
    cells = extent.series * (extent.days + RESULTS * horizon_days)
    if cells > most_cells:
        raise HistoryTooLarge(
            f"A run of {extent.series} series over {extent.days} days of history and "
            f"{horizon_days} days ahead takes {cells} cells; the limit is {most_cells}. Ask for "
            "fewer days ahead, or keep the sales of some stores in another tenant.",
            cells=cells,
            most_cells=most_cells,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One pass of the engine, as stored."""

    id: UUID
    number: int  # Of the tenant's runs, from 1. The highest is the current one.
    request: RunRequest
    cutoff_date: date
    series: int
    model: str
    coverage: float  # NaN where the history was too short to hold days back.
    wape: float  # The same.
    create_time: datetime
    period: str = "D"  # Or `W`.

    @property
    def period_days(self) -> int:
        return 7 if self.period == "W" else 1


class SeriesForecast(NamedTuple):
    """Demand of one SKU in one store; each list has one entry a period of the horizon."""

    store: str
    sku: str
    product: str
    horizon_mean_units: float
    mean: list[float]
    p10: list[float]
    p50: list[float]
    p90: list[float]


class Trend(NamedTuple):
    """A product that sells more than its season explains."""

    rank: int  # From 1, strongest first.
    product: str
    growth_ratio: float
    growth_ratio_p10: float
    recent_units: int
    previous_units: int
