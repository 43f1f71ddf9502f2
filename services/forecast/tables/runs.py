"""The tables of runs and what they found. Only the stores may import this."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Double
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.chassis.columns import TenantKey
from services.forecast.tables.base import Base, Days, RareDays


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


class RunStateRow(Base):
    """What the series of a shard have in common, for forecasts of what might be."""

    __tablename__ = "run_state"

    tenant_id: Mapped[TenantKey]
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[bytes]


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


class ForecastPartitionRow(Base):
    """Which partitions are there. Kept by the functions that make and drop them."""

    __tablename__ = "forecast_partition"

    tenant_id: Mapped[TenantKey]
    parent: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[UUID] = mapped_column(primary_key=True)
