"""Totals of runs as rows: of each series over its first periods, and of groups of series.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from collections.abc import Iterable
from itertools import islice
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.forecasts import Run
from services.forecast.domain.totals import Aggregate, NoTotals, Spread
from services.forecast.shards.sums import TOTAL, Group
from services.forecast.tables.runs import AggregateRow, ForecastSeriesRow

ROWS = 1_000  # Of one INSERT.


class TotalStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, run_id: UUID, groups: Iterable[Group]) -> None:
        left = iter(groups)
        while block := [*islice(left, ROWS)]:
            rows = [{"run_id": run_id, **_values(group)} for group in block]
            await self._session.execute(insert(AggregateRow), rows)

    async def cumulative(self, run: Run, store: str, sku: str) -> Spread:
        """Of a series of the run, for its first 1, 2, ... periods. Raises NoTotals."""
        table = ForecastSeriesRow
        query = select(table.total_p10, table.total_p50, table.total_p90).where(
            table.run_id == run.id, table.store == store, table.sku == sku
        )
        p10, p50, p90 = (await self._session.execute(query)).one()
        if p10 is None or p50 is None or p90 is None:
            raise NoTotals
        return Spread(p10, p50, p90)

    async def aggregates(
        self, run: Run, level: str, after: tuple[float, str] | None, limit: int
    ) -> list[Aggregate]:
        """Returns groups of a level, the largest first, then by name. Raises NoTotals."""
        table = AggregateRow
        whole = select(table.name).where(table.run_id == run.id, table.level == TOTAL)
        if await self._session.scalar(whole) is None:
            raise NoTotals
        units = table.horizon_mean_units
        query = select(table).where(table.run_id == run.id, table.level == level)
        if after is not None:
            # Spelled so that the index begins at the first condition.
            query = query.where(units <= after[0], (units < after[0]) | (table.name > after[1]))
        rows = await self._session.scalars(query.order_by(units.desc(), table.name).limit(limit))
        return [_aggregate_from(row) for row in rows]


def _values(group: Group) -> dict[str, object]:
    p10, p50, p90 = group.spread.tolist()
    return {
        "level": group.level,
        "name": group.name,
        "horizon_mean_units": float(group.mean.sum()),
        "horizon_p10_units": p10.pop(),
        "horizon_p50_units": p50.pop(),
        "horizon_p90_units": p90.pop(),
        "mean": group.mean.tolist(),
        "p10": p10,
        "p50": p50,
        "p90": p90,
    }


def _aggregate_from(row: AggregateRow) -> Aggregate:
    return Aggregate(
        row.name,
        row.mean,
        Spread(row.p10, row.p50, row.p90),
        row.horizon_mean_units,
        (row.horizon_p10_units, row.horizon_p50_units, row.horizon_p90_units),
    )
