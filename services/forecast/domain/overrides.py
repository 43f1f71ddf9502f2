"""Overrides: what planners know better, and what it was worth. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import nan
from typing import NamedTuple
from uuid import UUID

from services.chassis.errors import NotFound, ResourceExhausted
from services.forecast.domain.forecasts import Run, SeriesForecast

MOST_ACTIVE = 10_000
MOST_SERIES = 1_000_000
"""That overrides of days to come are about, each override counted for itself."""
MOST_REASON = 500
MOST_TOTAL_UNITS = 1e9
MOST_FACTOR = 100.0


class OverrideNotFound(NotFound):
    reason = "OVERRIDE_NOT_FOUND"


class TooManyOverrides(ResourceExhausted):
    reason = "TOO_MANY_OVERRIDES"


class Subject(NamedTuple):
    """What is overridden: all that is set must hold; None is no condition."""

    store: str | None = None
    sku: str | None = None
    product: str | None = None
    category: str | None = None


class Change(NamedTuple):
    """One of the two is set."""

    total_units: float | None = None
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a planner asks for."""

    request_id: UUID
    subject: Subject
    start_date: date
    end_date: date
    change: Change
    reason: str


class Score(NamedTuple):
    """How an override did. Errors are sums of |units - mean| over series and periods."""

    actual_units: float
    system_error_units: float
    override_error_units: float

    @property
    def value_added(self) -> float:
        """Forecast value added: share of the system's error that the planner took away."""
        if self.system_error_units <= 0:
            return nan
        return 1 - self.override_error_units / self.system_error_units


NOTHING = Score(0.0, 0.0, 0.0)


class Summary(NamedTuple):
    """What overrides were worth."""

    overrides: int  # That are over, and were not taken back.
    better: int  # Of those: with a smaller error than the system.
    score: Score  # Of all of them together.


def summary_of(scores: Sequence[Score]) -> Summary:
    better = sum(score.override_error_units < score.system_error_units for score in scores)
    whole = Score(*(sum(figures) for figures in zip(*scores, strict=True))) if scores else NOTHING
    return Summary(len(scores), better, whole)


@dataclass(frozen=True, slots=True)
class Override:
    """As stored. It is about the periods ``steps`` of the run that was current then."""

    id: UUID
    wish: Wish
    author: UUID
    create_time: datetime
    delete_time: datetime | None
    system_units: float
    score: Score | None = None


class Steps(NamedTuple):
    """Periods of a run, counted from 1: the first and the last."""

    first: int
    last: int


def steps_of(run: Run, start: date, end: date) -> Steps | None:
    """The periods of ``run`` whose date lies in the range; None if it reaches beyond them.

    A period bears the date of its last day.
    """
    behind, days = (start - run.cutoff_date).days, run.period_days
    first, last = -(-behind // days), (end - run.cutoff_date).days // days
    inside = behind >= 1 and first <= last <= run.request.horizon_days // days
    return Steps(first, last) if inside else None


class Applied(NamedTuple):
    """What an override says of one series, for periods from ``first_date`` on, by period."""

    override_id: UUID
    first_date: date
    units: Sequence[float]  # Of a total: this series' share, a period each.
    factor: float | None


@dataclass(frozen=True, slots=True)
class Served:
    """A forecast as it is served, and the system's own mean beside it."""

    forecast: SeriesForecast
    system_mean: list[float]
    overrides: tuple[UUID, ...]  # That count somewhere in it.


def apply(run: Run, forecast: SeriesForecast, found: Sequence[Applied]) -> Served:
    """Changes a forecast as overrides say, oldest first: of two on one period the newer counts."""
    mean = list(forecast.mean)
    newest: dict[int, Applied] = {}
    for each in found:
        offset = (each.first_date - run.cutoff_date).days // run.period_days - 1
        reach = range(offset, offset + len(each.units))
        newest |= {at: each for at in reach if 0 <= at < len(mean)}
    for at, each in newest.items():
        offset = (each.first_date - run.cutoff_date).days // run.period_days - 1
        total = each.units[at - offset]
        mean[at] = total if each.factor is None else forecast.mean[at] * each.factor
    changed = forecast._replace(
        mean=mean,
        horizon_mean_units=float(sum(mean)),
        p10=moved(forecast.p10, forecast, mean),
        p50=moved(forecast.p50, forecast, mean),
        p90=moved(forecast.p90, forecast, mean),
    )
    counted = dict.fromkeys(each.override_id for each in newest.values())
    return Served(changed if newest else forecast, list(forecast.mean), tuple(counted))


def moved(values: list[float], system: SeriesForecast, mean: list[float]) -> list[float]:
    """A quantile of ``system``, by period, moved with the mean from the system's to ``mean``.

    Who doubles what is expected doubles the range. A range that is all 0, as of what hardly ever
    sells, cannot be multiplied: it moves by as many units as the mean.
    """
    rows = zip(values, system.mean, system.p90, mean, strict=True)
    return [moved_one(value, expected, high, wanted) for value, expected, high, wanted in rows]


def moved_one(value: float, expected: float, high: float, wanted: float) -> float:
    """A quantile moved with the mean from ``expected`` to ``wanted``; ``high`` is the P90."""
    if wanted == expected:
        return value
    if expected > 0 and high > 0:
        return value * wanted / expected
    return max(value + wanted - expected, 0.0)
