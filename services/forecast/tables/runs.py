"""The tables of the forecast database. Only the stores may import this."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Double
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.chassis.columns import TenantKey

Days = Annotated[list[float], mapped_column(ARRAY(REAL))]
RareDays = Annotated[list[float] | None, mapped_column(ARRAY(REAL), deferred=True)]
"""Read only by whoever names them."""


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        float: Double,
    }


class SaleLineRow(Base):
    """What sold. Rows are inserted and read; nothing updates or deletes one."""

    __tablename__ = "sale_line"

    tenant_id: Mapped[TenantKey]
    document: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    occurrence: Mapped[int] = mapped_column(primary_key=True)  # Of the SKU in the document, from 1.
    store: Mapped[str]
    product: Mapped[str]
    sale_date: Mapped[date]
    units: Mapped[int]
    unit_price_micros: Mapped[int]


class SalesImportRow(Base):
    """Imports that were accepted, so that a retry gets the first answer."""

    __tablename__ = "sales_import"

    tenant_id: Mapped[TenantKey]
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    lines: Mapped[int]
    new_lines: Mapped[int]
    create_time: Mapped[datetime]


class ForecastRunRow(Base):
    """Runs that succeeded. The one with the highest number is the current one."""

    __tablename__ = "forecast_run"

    tenant_id: Mapped[TenantKey]
    number: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    request_id: Mapped[UUID]
    horizon_days: Mapped[int]
    cutoff_date: Mapped[date]
    series: Mapped[int]
    model: Mapped[str]
    coverage: Mapped[float]
    wape: Mapped[float]
    create_time: Mapped[datetime]
    period: Mapped[str]
    effort: Mapped[str | None]
    partitioned: Mapped[bool]  # False where a predecessor of this version made the run.


class TrendRow(Base):
    """Trending products of the last few runs."""

    __tablename__ = "trend"

    tenant_id: Mapped[TenantKey]
    run_number: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    product: Mapped[str]
    growth_ratio: Mapped[float]
    growth_ratio_p10: Mapped[float]
    recent_units: Mapped[int]
    previous_units: Mapped[int]


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


class ForecastSeriesRow(Base):
    """What runs have found, one row a series. Partitioned by run."""

    __tablename__ = "forecast_series"

    tenant_id: Mapped[TenantKey]
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    store: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str]
    horizon_mean_units: Mapped[float]
    mean: Mapped[Days]
    p10: Mapped[Days]
    p50: Mapped[Days]
    p90: Mapped[Days]
    total_p10: Mapped[RareDays]  # Of the first 1, 2, ... periods together. None in older runs.
    total_p50: Mapped[RareDays]
    total_p90: Mapped[RareDays]
    tier: Mapped[str]
    shard: Mapped[int]  # Whose `run_state` goes with the row's.
    state: Mapped[bytes | None]  # Of the series, for forecasts of what might be.


class AggregateRow(Base):
    """What groups of series add up to in a run."""

    __tablename__ = "forecast_aggregate"

    tenant_id: Mapped[TenantKey]
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    horizon_mean_units: Mapped[float]
    horizon_p10_units: Mapped[float]
    horizon_p50_units: Mapped[float]
    horizon_p90_units: Mapped[float]
    mean: Mapped[list[float]] = mapped_column(ARRAY(Double))  # Adds up from level to level.
    p10: Mapped[Days]
    p50: Mapped[Days]
    p90: Mapped[Days]


class RunStateRow(Base):
    """What the series of a shard have in common, for forecasts of what might be."""

    __tablename__ = "run_state"

    tenant_id: Mapped[TenantKey]
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[bytes]


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


class ForecastPartitionRow(Base):
    """Which partitions are there. Kept by the functions that make and drop them."""

    __tablename__ = "forecast_partition"

    tenant_id: Mapped[TenantKey]
    parent: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[UUID] = mapped_column(primary_key=True)
