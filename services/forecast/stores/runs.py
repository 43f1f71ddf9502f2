"""Makes runs durable. A run has the id of the job that makes it.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.forecasts import KEPT_RUNS, Run, RunRequest, Trend
from services.forecast.postgres.copying import copy_in, escaped
from services.forecast.tables.runs import AggregateRow, ForecastRunRow, RunStateRow, TrendRow

NAMES = ("store", "sku", "product")
TOTALS = ("total_p10", "total_p50", "total_p90")
FOUND = ("horizon_mean_units", "mean", "p10", "p50", "p90", *TOTALS, "tier", "state")
"""Columns of the lines that a shard answers with."""
STAGE = """
CREATE TEMPORARY TABLE forecast_stage (
    store text, sku text, product text, horizon_mean_units double precision,
    mean real[], p10 real[], p50 real[], p90 real[],
    total_p10 real[], total_p50 real[], total_p90 real[], tier text, state bytea
) ON COMMIT DROP
"""
UNSTAGE = """
INSERT INTO forecast_series (run_id, shard, store, sku, product, horizon_mean_units,
    mean, p10, p50, p90, total_p10, total_p50, total_p90, tier, state)
SELECT :run, :shard, store, sku, product, horizon_mean_units, mean, p10, p50, p90,
    total_p10, total_p50, total_p90, tier, state
FROM forecast_stage
"""


class RunStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, run_id: UUID) -> Run | None:
        row = await self._session.scalar(
            select(ForecastRunRow).where(ForecastRunRow.run_id == run_id)
        )
        return None if row is None else run_from(row)

    async def next_number(self) -> int:
        newest = await self._session.scalar(select(func.max(ForecastRunRow.number)))
        return (newest or 0) + 1

    async def add_series(
        self, run_id: UUID, shard: int, names: Sequence[Sequence[str]], rows: bytes
    ) -> None:
        """Adds what a shard found. Nobody sees it until the run is added.

        Args:
            run_id: has a partition.
            shard: its number.
            names: store, SKU and product of each series.
            rows: a line a series, of COPY's text format, with the columns `FOUND`.
        """
        await self._session.execute(text(STAGE))
        await copy_in(self._session, "forecast_stage", (*NAMES, *FOUND), _lines(names, rows))
        await self._session.execute(text(UNSTAGE), {"run": run_id, "shard": shard})

    async def add_state(self, run_id: UUID, shard: int, state: bytes) -> None:
        row = {"run_id": run_id, "shard": shard, "state": state}
        await self._session.execute(insert(RunStateRow).values(**row))

    async def add(self, run: Run, effort: str, trends: Iterable[Trend]) -> None:
        """Makes ``run`` the current one of its period."""
        found = [{"run_number": run.number, **trend._asdict()} for trend in trends]
        if found:
            await self._session.execute(insert(TrendRow), found)
        await self._session.execute(
            insert(ForecastRunRow).values(**_values(run), effort=effort, partitioned=True)
        )

    async def expire(self) -> list[UUID]:
        """Forgets the small rows of runs that are no longer kept. Returns those that are."""
        kept: list[Run] = []
        for period in ("D", "W"):
            kept += await kept_runs(self._session, period)
        numbers, ids = [run.number for run in kept], [run.id for run in kept]
        newest = max(numbers, default=0)
        old = TrendRow.run_number.not_in(numbers) & (TrendRow.run_number < newest)
        await self._session.execute(delete(TrendRow).where(old))
        over = select(ForecastRunRow.run_id).where(ForecastRunRow.run_id.not_in(ids))
        for table in (RunStateRow, AggregateRow):
            await self._session.execute(delete(table).where(table.run_id.in_(over)))
        return ids


async def kept_runs(session: AsyncSession, period: str) -> list[Run]:
    """Runs whose forecasts can be read, the current one first."""
    query = select(ForecastRunRow).where(
        ForecastRunRow.partitioned, ForecastRunRow.period == period
    )
    rows = await session.scalars(query.order_by(ForecastRunRow.number.desc()).limit(KEPT_RUNS))
    return [run_from(row) for row in rows]


def run_from(row: ForecastRunRow) -> Run:
    return Run(
        id=row.run_id,
        number=row.number,
        request=RunRequest(row.request_id, row.horizon_days),
        cutoff_date=row.cutoff_date,
        series=row.series,
        model=row.model,
        coverage=row.coverage,
        wape=row.wape,
        create_time=row.create_time,
        period=row.period,
    )


def _values(run: Run) -> dict[str, object]:
    return {
        "number": run.number,
        "run_id": run.id,
        "request_id": run.request.request_id,
        "horizon_days": run.request.horizon_days,
        "cutoff_date": run.cutoff_date,
        "series": run.series,
        "model": run.model,
        "coverage": run.coverage,
        "wape": run.wape,
        "create_time": run.create_time,
        "period": run.period,
    }


def _lines(names: Sequence[Sequence[str]], rows: bytes) -> Iterator[str]:
    for (store, sku, product), line in zip(names, rows.decode().split("\n"), strict=True):
        yield f"{store}\t{sku}\t{escaped(product)}\t{line}"
