"""The statements by which a tenant's history is read, one row a series.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from collections.abc import AsyncIterator
from datetime import date

import numpy as np
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.collected import Sold
from services.forecast.demand import Shelf
from services.forecast.domain_facts import Subject
from services.forecast.domain_panel import SeriesName, Shard, ShardKey
from services.forecast.engine.period import Period
from services.forecast.grid import MONTHS, Grid
from services.forecast.streaming import stream

MICROS = 1_000_000.0
EVERYTHING = sql.SQL("true")
WITHIN = sql.SQL("{column} = ANY({names})")
STORES = sql.SQL(
    "SELECT store, store FROM (SELECT store FROM sale_line UNION SELECT store FROM stock_day) AS s"
)
# The first ten characters are the date: the greatest text is that of the last sale.
PRODUCTS = sql.SQL("""
SELECT sku, substr(max(sale_date::text || product COLLATE "C"), 11) FROM sale_line GROUP BY sku
UNION ALL
SELECT DISTINCT sku, sku FROM stock_day WHERE sku NOT IN (SELECT sku FROM sale_line)
""")
SALES = sql.SQL("""
WITH sold AS (
    SELECT store, sku, {column} AS "column", max(product COLLATE "C") AS product,
        sum(units)::double precision AS units,
        (sum(units) FILTER (WHERE units > 0))::double precision AS gross_units,
        (sum(units * unit_price_micros) FILTER (WHERE units > 0))::double precision AS gross_micros
    FROM sale_line WHERE sale_date >= {first} AND sale_date < {stop} AND {in_shard}
    GROUP BY store, sku, 3
)
SELECT store, sku, (array_agg(product ORDER BY "column" DESC))[1], array_agg("column"),
    array_agg(units), array_agg(coalesce(gross_units, 0)), array_agg(coalesce(gross_micros, 0))
FROM sold GROUP BY store, sku ORDER BY store, sku
""")
OF_DAYS = sql.SQL("((sale_date - {first}) / {step})::integer")
OF_MONTHS = sql.SQL(
    "((extract(year FROM sale_date) * 12 + extract(month FROM sale_date)) - {first})::integer"
)
# Only the days on which it ran empty or was filled again: few, however often it was counted.
SHELVES = sql.SQL("""
WITH level AS (
    SELECT store, sku, (stock_date - {first})::integer AS day, on_hand_units = 0 AS empty,
        lag(on_hand_units = 0) OVER (PARTITION BY store, sku ORDER BY stock_date) AS before
    FROM stock_day WHERE stock_date < {stop} AND {in_shard}
)
SELECT store, sku, array_agg(day ORDER BY day), array_agg(empty::integer ORDER BY day)
FROM level WHERE empty IS DISTINCT FROM before GROUP BY store, sku
""")
LAST_DAYS = sql.SQL("""
SELECT store, (max(stock_date) - {first})::integer FROM stock_day WHERE stock_date < {stop}
GROUP BY store
""")
ATTRIBUTES = sql.SQL("SELECT code, attribute, value FROM attribute WHERE subject = {subject}")


async def products(session: AsyncSession) -> dict[str, str]:
    """The product of every SKU that ever sold or was stocked."""
    return {sku: product async for sku, product in stream(session, PRODUCTS.format())}


async def in_shard(session: AsyncSession, shard: Shard) -> sql.Composable:
    """The condition of a shard's rows, on columns `store` and `sku`."""
    if shard.count == 1:
        return EVERYTHING
    by_store = shard.key is ShardKey.STORE
    keys = STORES.format() if by_store else PRODUCTS.format()
    names = [name async for name, key in stream(session, keys) if shard.holds(key)]
    column = sql.Identifier("store" if by_store else "sku")
    return WITHIN.format(column=column, names=sql.Literal(names))


async def sales(session: AsyncSession, grid: Grid, within: sql.Composable) -> AsyncIterator[Sold]:
    """Yields the series that sold in the past of ``grid``, by store and SKU."""
    query = SALES.format(
        first=sql.Literal(grid.first_day),
        stop=sql.Literal(_stop(grid)),
        in_shard=within,
        column=_column(grid),
    )
    async for store, sku, product, columns, units, gross_units, micros in stream(session, query):
        name = SeriesName(store, sku, product)
        yield Sold(name, columns, units, gross_units, micros / MICROS)


async def shelves(
    session: AsyncSession, grid: Grid, within: sql.Composable
) -> dict[tuple[str, str], Shelf]:
    """When the shelves of all series ran empty, as far as is known."""
    query = SHELVES.format(
        first=sql.Literal(grid.first_day), stop=sql.Literal(_stop(grid)), in_shard=within
    )
    return {
        (store, sku): Shelf(days.astype(np.int64), empty.astype(np.bool_))
        async for store, sku, days, empty in stream(session, query)
    }


async def last_stock_days(session: AsyncSession, grid: Grid) -> dict[str, int]:
    """The last day of each store whose stock is known, counted from the first of ``grid``."""
    query = LAST_DAYS.format(first=sql.Literal(grid.first_day), stop=sql.Literal(_stop(grid)))
    return {store: day async for store, day in stream(session, query)}


async def attributes(session: AsyncSession, subject: Subject) -> dict[str, dict[str, str]]:
    """Values by attribute and code."""
    found: dict[str, dict[str, str]] = {}
    query = ATTRIBUTES.format(subject=sql.Literal(subject.value))
    async for code, attribute, value in stream(session, query):
        found.setdefault(attribute, {})[code] = value
    return found


def _stop(grid: Grid) -> date:
    found: date = grid.edges[grid.periods].item()
    return found


def _column(grid: Grid) -> sql.Composed:
    first = grid.first_day
    if grid.period is Period.MONTH:
        return OF_MONTHS.format(first=sql.Literal(first.year * MONTHS + first.month))
    step = 7 if grid.period is Period.WEEK else 1
    return OF_DAYS.format(first=sql.Literal(first), step=sql.Literal(step))
