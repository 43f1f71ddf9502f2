"""Reads what runs have found.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.forecasts import NoRun, Run, SeriesForecast, Trend
from services.forecast.stores.runs import kept_runs
from services.forecast.tables.runs import ForecastSeriesRow, RunStateRow, TrendRow


class ForecastStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def kept_runs(self) -> list[Run]:
        """Returns the runs that can be read, the current one first. Raises NoRun without any.

        Daily runs, or weekly ones where no daily one was made.
        """
        runs = await kept_runs(self._session, "D") or await kept_runs(self._session, "W")
        if not runs:
            raise NoRun("Nothing was forecast yet. Import sales and create a forecast run first.")
        return runs

    async def keeps(self, run: Run) -> bool:
        """Whether the forecasts of ``run`` can still be read."""
        return any(kept.id == run.id for kept in await kept_runs(self._session, run.period))

    async def find(self, run: Run, store: str, sku: str) -> SeriesForecast | None:
        query = select(ForecastSeriesRow).where(
            ForecastSeriesRow.run_id == run.id,
            ForecastSeriesRow.store == store,
            ForecastSeriesRow.sku == sku,
        )
        row = await self._session.scalar(query)
        return None if row is None else _forecast_from(row)

    async def state(self, run: Run, store: str, sku: str) -> tuple[int, bytes, list[float]] | None:
        """What is kept of a series to forecast it again: its shard, its own state, its mean.

        None if the run has no such series, or keeps no state of it.
        """
        table = ForecastSeriesRow
        query = select(table.shard, table.state, table.mean).where(
            table.run_id == run.id, table.store == store, table.sku == sku, table.state.is_not(None)
        )
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else (row.shard, bytes(row.state or b""), row.mean)

    async def shared_state(self, run: Run, shard: int) -> bytes:
        """What the series of a shard have in common. May be kept: it never changes."""
        query = select(RunStateRow.state).where(
            RunStateRow.run_id == run.id, RunStateRow.shard == shard
        )
        return bytes((await self._session.execute(query)).scalar_one())

    async def by_name(
        self, run: Run, store: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[SeriesForecast]:
        """Returns forecasts by store and SKU."""
        query = (
            _of(run, store).order_by(ForecastSeriesRow.store, ForecastSeriesRow.sku).limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(ForecastSeriesRow.store, ForecastSeriesRow.sku) > after)
        return [_forecast_from(row) for row in await self._session.scalars(query)]

    async def by_units(
        self, run: Run, store: str | None, after: tuple[float, str, str] | None, limit: int
    ) -> list[SeriesForecast]:
        """Returns forecasts, best sellers first, then by store and SKU."""
        units = ForecastSeriesRow.horizon_mean_units
        name = tuple_(ForecastSeriesRow.store, ForecastSeriesRow.sku)
        query = _of(run, store).order_by(
            units.desc(), ForecastSeriesRow.store, ForecastSeriesRow.sku
        )
        if after is not None:
            # Spelled so that the index begins at the first condition.
            query = query.where(units <= after[0], (units < after[0]) | (name > after[1:]))
        return [_forecast_from(row) for row in await self._session.scalars(query.limit(limit))]

    async def trends(self, run: Run, after_rank: int, limit: int) -> list[Trend]:
        query = (
            select(TrendRow)
            .where(TrendRow.run_number == run.number, TrendRow.rank > after_rank)
            .order_by(TrendRow.rank)
            .limit(limit)
        )
        return [_trend_from(row) for row in await self._session.scalars(query)]


def _of(run: Run, store: str | None) -> Select[ForecastSeriesRow]:
    query = select(ForecastSeriesRow).where(ForecastSeriesRow.run_id == run.id)
    return query if store is None else query.where(ForecastSeriesRow.store == store)


def _forecast_from(row: ForecastSeriesRow) -> SeriesForecast:
    return SeriesForecast(
        store=row.store,
        sku=row.sku,
        product=row.product,
        horizon_mean_units=row.horizon_mean_units,
        mean=row.mean,
        p10=row.p10,
        p50=row.p50,
        p90=row.p90,
    )


def _trend_from(row: TrendRow) -> Trend:
    return Trend(
        rank=row.rank,
        product=row.product,
        growth_ratio=row.growth_ratio,
        growth_ratio_p10=row.growth_ratio_p10,
        recent_units=row.recent_units,
        previous_units=row.previous_units,
    )
