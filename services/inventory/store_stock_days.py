"""The ledger read as levels at the end of days.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.domain import Sku, StockDay, StockPeriod, StoreId
from services.inventory.tables import LevelRow

SERIES_PER_PART = 200
"""Of at most 400 days each: some 10 MB."""

# What moved before the first day counts on it. Of days that are not all recorded yet, more may have
# gone than had come.
DAYS = text("""
WITH moved AS (
  SELECT m.store, m.sku,
    greatest((m.occur_time AT TIME ZONE s.time_zone)::date, CAST(:first AS date)) AS stock_date,
    sum(m.delta_units) AS delta_units
  FROM movement m JOIN store s ON s.store = m.store
  WHERE (m.store, m.sku) >= (:from_store, :from_sku) AND (m.store, m.sku) <= (:to_store, :to_sku)
    AND (m.occur_time AT TIME ZONE s.time_zone)::date <= :last
  GROUP BY 1, 2, 3
)
SELECT store, sku, stock_date, greatest(
  sum(delta_units) OVER (PARTITION BY store, sku ORDER BY stock_date), 0
)::bigint AS on_hand_units
FROM moved ORDER BY store, sku, stock_date
""")

Key = tuple[str, str]


class StockDayStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def part(
        self, store: StoreId | None, period: StockPeriod, after: Key | None
    ) -> tuple[list[StockDay], Key | None]:
        """Returns the days of the next few series, and the key of the last if there may be more.

        Args:
            store: None for all of them.
            period: the days asked for.
            after: the store and SKU of the last series of the part before.
        """
        key = (LevelRow.store, LevelRow.sku)
        series = select(*key).order_by(*key).limit(SERIES_PER_PART)
        if store is not None:
            series = series.where(LevelRow.store == store)
        if after is not None:
            series = series.where(tuple_(*key) > after)
        found = [(row.store, row.sku) for row in await self._session.execute(series)]
        if not found:
            return [], None
        rows = await self._session.execute(DAYS, _values(period, found[0], found[-1]))
        days = [
            StockDay(StoreId(row.store), Sku(row.sku), row.stock_date, row.on_hand_units)
            for row in rows
        ]
        return days, found[-1] if len(found) == SERIES_PER_PART else None


def _values(period: StockPeriod, first: Key, last: Key) -> dict[str, object]:
    return {
        "first": period.start_date,
        "last": period.end_date,
        "from_store": first[0],
        "from_sku": first[1],
        "to_store": last[0],
        "to_sku": last[1],
    }
