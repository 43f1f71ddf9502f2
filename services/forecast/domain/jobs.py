"""Jobs: what may be asked for, the states they go through, when the night's begin. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from services.chassis.errors import FailedPrecondition, NotFound

DEFAULT_HORIZON = {"D": 28, "W": 8}
MOST_HORIZON = {"D": 91, "W": 52}
MOST_CUTOFFS = 12
KEPT = timedelta(days=90)
"""After its end a job is remembered this long."""
LEASE = timedelta(seconds=20)
"""Longer than a holder that lives goes without renewing. What a lost one held is free after it."""
RENEWAL = LEASE / 4
MOST_ATTEMPTS = 3
"""A shard that ends its process again and again fails its job."""
NIGHT_MINUTES = 60
WHOLE = "all"
"""The segment that is every series."""


class Kind(Enum):
    FORECAST = "FORECAST"
    BACKTEST = "BACKTEST"


class State(Enum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def ended(self) -> bool:
        return self not in (State.PENDING, State.RUNNING)


class Phase(Enum):
    WAITING = "WAITING"
    READING = "READING"
    COMPUTING = "COMPUTING"
    STORING = "STORING"
    DONE = "DONE"


class Origin(Enum):
    REQUEST = "REQUEST"
    SCHEDULE = "SCHEDULE"


class JobNotFound(NotFound):
    reason = "JOB_NOT_FOUND"


class JobEnded(FailedPrecondition):
    reason = "JOB_ENDED"


class CutoffOutsideHistory(FailedPrecondition):
    reason = "CUTOFF_OUTSIDE_HISTORY"


@dataclass(frozen=True, slots=True)
class Spec:
    """What a job is to do."""

    kind: Kind
    period: str  # `D` or `W`.
    horizon: int  # Periods.
    effort: str  # `light`, `middle` or `full`.
    cutoff_dates: tuple[date, ...] = ()  # Of a backtest, ascending.

    @property
    def period_days(self) -> int:
        return 7 if self.period == "W" else 1


@dataclass(frozen=True, slots=True)
class Progress:
    phase: Phase = Phase.WAITING
    done_shards: int = 0
    total_shards: int = 0
    series: int = 0

    @property
    def message(self) -> str:
        return {
            Phase.WAITING: "Waits for a process to take it up.",
            Phase.READING: "Reads the sales history.",
            Phase.COMPUTING: f"{self.done_shards} of {self.total_shards} shards are forecast.",
            Phase.STORING: "Puts the results together.",
            Phase.DONE: "Has ended.",
        }[self.phase]


class Failure(NamedTuple):
    reason: str
    message: str


class Score(NamedTuple):
    """How good forecasts from a past cutoff were. NaN where a figure cannot be had."""

    cutoff_date: date
    segment: str
    series: int
    rmsse: float
    mase: float
    wmape: float
    spl: float
    coverage: float
    bias: float


@dataclass(frozen=True, slots=True)
class Job:
    """Long work, as stored."""

    id: UUID
    request_id: UUID
    spec: Spec
    origin: Origin
    state: State
    progress: Progress
    create_time: datetime
    start_time: datetime | None = None
    end_time: datetime | None = None
    failure: Failure | None = None
    cutoff_date: date | None = None  # The last day read.
    model: str | None = None
    scores: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a tenant's forecast is made without being asked for."""

    enabled: bool = True
    start_minute: int = 60  # Of the UTC day.
    spec: Spec = Spec(Kind.FORECAST, "D", DEFAULT_HORIZON["D"], "middle")

    def next_time(self, tenant_id: UUID, after: datetime) -> datetime:
        """The next beginning later than ``after``, at the tenant's own minute of the hour.

        A region's tenants do not all begin at once, and one begins at the same minute every night.
        """
        minute = self.start_minute + tenant_id.int % NIGHT_MINUTES
        midnight = datetime.combine(after.astimezone(UTC).date(), time(), UTC)
        # The night that began yesterday may still lie ahead.
        begin = midnight - timedelta(days=1) + timedelta(minutes=minute)
        while begin <= after:
            begin += timedelta(days=1)
        return begin
