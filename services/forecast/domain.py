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


class NoSales(FailedPrecondition):
    reason = "NO_SALES"


class NoRun(FailedPrecondition):
    reason = "NO_RUN"


class RunInProgress(Aborted):
    reason = "RUN_IN_PROGRESS"


class ForecastNotFound(NotFound):
    reason = "FORECAST_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class RunRequest:
    request_id: UUID
    horizon_days: int


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


class SeriesForecast(NamedTuple):
    """Demand of one SKU in one store; each list has one entry a day of the horizon."""

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
