"""Makes runs durable: the lease that keeps them apart, and what they found.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.copying import copy_in, escaped
from services.forecast.domain import KEPT_RUNS, Run, RunRequest, SeriesForecast, Trend
from services.forecast.tables import ForecastRow, ForecastRunRow, RunLeaseRow, TrendRow

STAGE = """
CREATE TEMPORARY TABLE forecast_stage (
    store text, sku text, product text, horizon_mean_units double precision,
    mean real[], p10 real[], p50 real[], p90 real[]
) ON COMMIT DROP
"""
UNSTAGE = """
INSERT INTO forecast
    (run_number, store, sku, product, horizon_mean_units, mean, p10, p50, p90)
SELECT :number, store, sku, product, horizon_mean_units, mean, p10, p50, p90 FROM forecast_stage
"""


class RunStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_by_request(self, request_id: UUID) -> Run | None:
        query = select(ForecastRunRow).where(ForecastRunRow.request_id == request_id)
        row = await self._session.scalar(query)
        return None if row is None else run_from(row)

    async def take_lease(self, holder: UUID, *, now: datetime, until: datetime) -> bool:
        """Takes the tenant's lease, unless somebody else's still holds."""
        wanted = postgresql.insert(RunLeaseRow).values(holder=holder, expire_time=until)
        taken = await self._session.scalar(
            wanted.on_conflict_do_update(
                index_elements=["tenant_id"],
                set_={"holder": holder, "expire_time": until},
                where=RunLeaseRow.expire_time <= now,
            ).returning(RunLeaseRow.holder)
        )
        return taken == holder

    async def end_lease(self, holder: UUID) -> bool:
        """Gives the lease back. False if it has expired and gone to somebody else meanwhile."""
        ended = await self._session.scalar(
            delete(RunLeaseRow).where(RunLeaseRow.holder == holder).returning(RunLeaseRow.holder)
        )
        return ended == holder

    async def next_number(self) -> int:
        newest = await self._session.scalar(select(func.max(ForecastRunRow.number)))
        return (newest or 0) + 1

    async def add(
        self, run: Run, forecasts: Iterable[SeriesForecast], trends: Iterable[Trend]
    ) -> None:
        """Makes ``run`` the current one and drops the forecasts of the oldest. Needs the lease."""
        await self._session.execute(text(STAGE))
        rows = map(_copied, forecasts)
        await copy_in(self._session, "forecast_stage", SeriesForecast._fields, rows)
        await self._session.execute(text(UNSTAGE), {"number": run.number})
        found = [{"run_number": run.number, **trend._asdict()} for trend in trends]
        if found:
            await self._session.execute(insert(TrendRow), found)
        for table in (ForecastRow, TrendRow):
            old = table.run_number <= run.number - KEPT_RUNS
            await self._session.execute(delete(table).where(old))
        await self._session.execute(insert(ForecastRunRow).values(**_values(run)))


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
    }


def _copied(forecast: SeriesForecast) -> str:
    days = (forecast.mean, forecast.p10, forecast.p50, forecast.p90)
    arrays = "\t".join("{" + ",".join(map(repr, values)) + "}" for values in days)
    head = f"{forecast.store}\t{forecast.sku}\t{escaped(forecast.product)}"
    return f"{head}\t{forecast.horizon_mean_units!r}\t{arrays}"
