"""The tables of jobs, their shards, figures and schedules. Only the stores may import this."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.chassis.columns import TenantKey
from services.forecast.tables.base import Base


class JobRow(Base):
    """Long work, under way or over. At most one of a tenant is under way."""

    __tablename__ = "job"

    tenant_id: Mapped[TenantKey]
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    origin: Mapped[str]
    kind: Mapped[str]
    period: Mapped[str]
    effort: Mapped[str]
    horizon: Mapped[int]
    cutoff_dates: Mapped[list[date]] = mapped_column(ARRAY(Date))
    state: Mapped[str]
    phase: Mapped[str]
    done_shards: Mapped[int]
    total_shards: Mapped[int]
    series: Mapped[int]
    holder: Mapped[UUID | None]  # Who reads the history for it, until
    lease_expire_time: Mapped[datetime | None]
    attempts: Mapped[int]
    error_reason: Mapped[str | None]
    error_message: Mapped[str | None]
    model: Mapped[str | None]
    cutoff_date: Mapped[date | None]
    create_time: Mapped[datetime]
    start_time: Mapped[datetime | None]
    end_time: Mapped[datetime | None]


class JobInputRow(Base):
    """What a job has read: a part of the series each. Partitioned by job."""

    __tablename__ = "job_input"

    tenant_id: Mapped[TenantKey]
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    names: Mapped[bytes]
    panel: Mapped[bytes]


class JobShardRow(Base):
    """A piece of a job that a process takes up as a whole, of jobs under way."""

    __tablename__ = "job_shard"

    tenant_id: Mapped[TenantKey]
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)  # The cutoff, counted from 0.
    holder: Mapped[UUID | None]
    lease_expire_time: Mapped[datetime | None]
    attempts: Mapped[int]
    done: Mapped[bool]
    figures: Mapped[bytes | None]
    sums: Mapped[bytes | None]  # Of groups of series, path by path.


class JobScoreRow(Base):
    """How good a job's forecasts from past cutoffs were, by segment."""

    __tablename__ = "job_score"

    tenant_id: Mapped[TenantKey]
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    cutoff_date: Mapped[date] = mapped_column(primary_key=True)
    segment: Mapped[str] = mapped_column(primary_key=True)
    series: Mapped[int]
    rmsse: Mapped[float]
    mase: Mapped[float]
    wmape: Mapped[float]
    spl: Mapped[float]
    coverage: Mapped[float]
    bias: Mapped[float]


class JobScheduleRow(Base):
    """What a tenant has said of its nightly forecast."""

    __tablename__ = "job_schedule"

    tenant_id: Mapped[TenantKey]
    enabled: Mapped[bool]
    start_minute: Mapped[int]
    period: Mapped[str]
    effort: Mapped[str]
    horizon: Mapped[int]


class JobTurnRow(Base):
    """When to look at a tenant next. The one table whose rows every tenant may see."""

    __tablename__ = "job_turn"

    tenant_id: Mapped[TenantKey]
    wake_time: Mapped[datetime]
    night_time: Mapped[datetime | None]  # When the schedule's next job begins; None: not known yet.
