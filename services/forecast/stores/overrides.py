"""Overrides in PostgreSQL.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.forecasts import Run
from services.forecast.domain.overrides import (
    Applied,
    Change,
    Override,
    Score,
    Steps,
    Subject,
    Wish,
)
from services.forecast.tables.overrides import OverrideRow, OverrideSeriesRow
from services.forecast.tables.sales import SaleLineRow

# What is not set is no condition. Single precision is for keeping, not for adding up; what is too
# small for it is nothing.
ADD_SERIES = """
WITH chosen AS (
    SELECT store, sku, mean[:first : :last] AS system FROM forecast_series
    WHERE run_id = :run AND (CAST(:store AS text) IS NULL OR store = :store)
        AND (CAST(:sku AS text) IS NULL OR sku = :sku)
        AND (CAST(:product AS text) IS NULL OR product = :product)
        AND (CAST(:category AS text) IS NULL OR sku IN (
            SELECT code FROM attribute
            WHERE subject = 'sku' AND attribute = 'category' AND value = :category))
), whole AS (
    SELECT coalesce(sum(units::double precision), 0) AS units, count(*) AS cells
    FROM chosen, unnest(system) AS units
)
INSERT INTO override_series (override_id, store, sku, system, units)
SELECT :override, store, sku, system, ARRAY(
    SELECT CASE WHEN wanted < 1e-30 THEN 0 ELSE wanted END
    FROM unnest(system) WITH ORDINALITY AS each(one, step), LATERAL (SELECT CASE
        WHEN CAST(:factor AS double precision) IS NOT NULL THEN one * :factor
        WHEN whole.units > 0 THEN one * CAST(:total AS double precision) / whole.units
        ELSE CAST(:total AS double precision) / whole.cells END AS wanted) AS said
    ORDER BY step)
FROM chosen, whole
"""
SYSTEM_UNITS = """
SELECT coalesce(sum(one::double precision), 0) FROM override_series, unnest(system) AS one
WHERE override_id = :override
"""
# Each period of each series beside what sold in it. A period bears the date of its last day, so
# lines are added up once, to days or to weeks that end on one weekday, and not for each override.
SCORES = """
WITH ended AS (
    SELECT *, (first_date - DATE '2000-01-01') % period_days AS phase
    FROM forecast_override WHERE override_id = ANY(:ids)
), own AS (
    SELECT ended.override_id, first_date, period_days, phase, series.store, series.sku,
        series.system, series.units
    FROM ended JOIN override_series AS series USING (tenant_id, override_id)
), said AS (
    SELECT override_id, store, sku, period_days, phase, each.system, each.units,
        first_date + (each.step::integer - 1) * period_days AS day
    FROM own, unnest(own.system, own.units) WITH ORDINALITY AS each(system, units, step)
), sold AS (
    SELECT store, sku, period_days, phase, sale_date + (
            phase - (sale_date - DATE '2000-01-01') % period_days + period_days
        ) % period_days AS day, sum(units)::double precision AS units
    FROM sale_line, (SELECT DISTINCT period_days, phase FROM ended) AS kinds
    WHERE sale_date > (SELECT min(first_date - period_days) FROM ended)
        AND sale_date <= (SELECT max(end_date) FROM ended)
        AND (store, sku) IN (SELECT store, sku FROM own)
    GROUP BY 1, 2, 3, 4, 5
)
SELECT override_id, sum(actual), sum(abs(actual - system)), sum(abs(actual - units))
FROM (
    SELECT said.*, greatest(coalesce(sold.units, 0), 0) AS actual
    FROM said LEFT JOIN sold USING (store, sku, period_days, phase, day)
) AS both_known GROUP BY override_id
"""


class OverrideStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_by_request(self, request_id: UUID) -> Override | None:
        return await self._one(OverrideRow.request_id == request_id)

    async def find(self, override_id: UUID) -> Override | None:
        return await self._one(OverrideRow.override_id == override_id)

    async def count_active(self, after: date) -> int:
        query = select(func.count()).where(
            OverrideRow.delete_time.is_(None), OverrideRow.end_date > after
        )
        return int(await self._session.scalar(query) or 0)

    async def count_series(self, after: date) -> int:
        """Of all that are active, each counted for itself."""
        active = select(OverrideRow.override_id).where(
            OverrideRow.delete_time.is_(None), OverrideRow.end_date > after
        )
        query = select(func.count()).where(OverrideSeriesRow.override_id.in_(active))
        return int(await self._session.scalar(query) or 0)

    async def add(self, override: Override, run: Run, steps: Steps) -> tuple[int, float]:
        """Adds an override of what ``run`` forecasts. Returns its series and the system's units."""
        wish = override.wish
        row = {
            "override_id": override.id,
            "request_id": wish.request_id,
            **wish.subject._asdict(),
            **wish.change._asdict(),
            "start_date": wish.start_date,
            "end_date": wish.end_date,
            "reason": wish.reason,
            "author": override.author,
            "create_time": override.create_time,
            "system_units": 0.0,
            "first_date": run.cutoff_date + timedelta(days=steps.first * run.period_days),
            "period_days": run.period_days,
        }
        await self._session.execute(insert(OverrideRow).values(**row))
        values = {
            "override": override.id,
            "run": run.id,
            "first": steps.first,
            "last": steps.last,
            "factor": wish.change.factor,
            "total": wish.change.total_units,
            **wish.subject._asdict(),
        }
        added = await self._session.execute(text(ADD_SERIES), values)
        units = await self._session.scalar(text(SYSTEM_UNITS), {"override": override.id})
        await self._session.execute(
            update(OverrideRow)
            .where(OverrideRow.override_id == override.id)
            .values(system_units=units)
        )
        return int(getattr(added, "rowcount", 0)), float(units or 0.0)

    async def delete(self, override_id: UUID, now: datetime) -> None:
        """Takes an override back, if that has not happened yet."""
        await self._session.execute(
            update(OverrideRow)
            .where(OverrideRow.override_id == override_id, OverrideRow.delete_time.is_(None))
            .values(delete_time=now)
        )

    async def edition(self) -> str:
        """Changes whenever an override is made or taken back."""
        moments = (func.max(OverrideRow.create_time), func.max(OverrideRow.delete_time))
        made, deleted, count = (await self._session.execute(select(*moments, func.count()))).one()
        return f"{made and made.timestamp()}.{deleted and deleted.timestamp()}.{count}"

    async def newest(
        self, after: tuple[datetime, UUID] | None, active_after: date | None, limit: int
    ) -> list[Override]:
        """Overrides, the newest first; only those that count after a day, if one is given."""
        order = (OverrideRow.create_time, OverrideRow.override_id)
        query = select(OverrideRow).order_by(*(column.desc() for column in order)).limit(limit)
        if after is not None:
            query = query.where(tuple_(*order) < after)
        if active_after is not None:
            query = query.where(
                OverrideRow.delete_time.is_(None), OverrideRow.end_date > active_after
            )
        return await self._scored((await self._session.scalars(query)).all())

    async def over_since(self, start: date) -> list[Override]:
        """Overrides that were not taken back, of days from ``start`` on, with a score."""
        query = select(OverrideRow).where(
            OverrideRow.delete_time.is_(None), OverrideRow.start_date >= start
        )
        found = await self._scored((await self._session.scalars(query)).all())
        return [override for override in found if override.score is not None]

    async def applied(
        self, run: Run, series: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], list[Applied]]:
        """What counts for each of ``series`` in what ``run`` forecasts, oldest first.

        What was said of weeks says nothing of single days, nor the other way round.
        """
        rows = await self._session.execute(
            select(OverrideSeriesRow, OverrideRow.first_date, OverrideRow.factor)
            .join(OverrideRow, OverrideRow.override_id == OverrideSeriesRow.override_id)
            .where(
                tuple_(OverrideSeriesRow.store, OverrideSeriesRow.sku).in_(series),
                OverrideRow.delete_time.is_(None),
                OverrideRow.end_date > run.cutoff_date,
                OverrideRow.period_days == run.period_days,
            )
            .order_by(OverrideRow.create_time, OverrideRow.override_id)
        )
        found: dict[tuple[str, str], list[Applied]] = {}
        for row, first_date, factor in rows:
            said = Applied(row.override_id, first_date, row.units, factor)
            found.setdefault((row.store, row.sku), []).append(said)
        return found

    async def _one(self, condition: Any) -> Override | None:
        rows = (await self._session.scalars(select(OverrideRow).where(condition))).all()
        return (await self._scored(rows))[0] if rows else None

    async def _scored(self, rows: Sequence[OverrideRow]) -> list[Override]:
        """With scores of those whose last sales are known."""
        last_sale = await self._session.scalar(select(func.max(SaleLineRow.sale_date)))
        ended = [
            row.override_id for row in rows if last_sale is not None and row.end_date <= last_sale
        ]
        scores: dict[UUID, Score] = {}
        if ended:
            if len(ended) > 1:
                # Without statistics of rows just added, PostgreSQL looks lines up one by one.
                await self._session.execute(text("SET LOCAL enable_nestloop = off"))
            for override_id, *figures in await self._session.execute(text(SCORES), {"ids": ended}):
                scores[override_id] = Score(*map(float, figures))
        return [_override_from(row, scores.get(row.override_id)) for row in rows]


def _override_from(row: OverrideRow, score: Score | None) -> Override:
    wish = Wish(
        row.request_id,
        Subject(row.store, row.sku, row.product, row.category),
        row.start_date,
        row.end_date,
        Change(row.total_units, row.factor),
        row.reason,
    )
    return Override(
        row.override_id,
        wish,
        row.author,
        row.create_time,
        row.delete_time,
        row.system_units,
        score,
    )
