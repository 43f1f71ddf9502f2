"""The statements by which a tenant's history is read, one row a series.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.facts import Subject
from services.forecast.domain.panels import SeriesName, Shard, ShardKey
from services.forecast.engine.period import Period
from services.forecast.panels.collected import Shelves, Sold
from services.forecast.panels.demand import Shelf
from services.forecast.panels.grid import MONTHS, Grid
from services.forecast.postgres.streaming import stream

MICROS = 1_000_000.0
# What is cut into shards, and into which shard each line goes.
WHOLE = sql.SQL("(SELECT {index} AS shard, * FROM {table}) AS line")
CUT = sql.SQL("""(
    SELECT cut.shard, t.* FROM {table} AS t
    JOIN unnest({names}::text[], {shards}::integer[]) AS cut(name, shard)
        ON t.{column} = cut.name COLLATE "C"
) AS line""")
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
    SELECT shard, store, sku, {column} AS "column", max(product COLLATE "C") AS product,
        sum(units)::double precision AS units,
        (sum(units) FILTER (WHERE units > 0))::double precision AS gross_units,
        (sum(units * unit_price_micros) FILTER (WHERE units > 0))::double precision AS gross_micros
    FROM {lines} WHERE sale_date >= {first} AND sale_date < {stop} GROUP BY 1, 2, 3, 4
)
SELECT shard, store, sku, (array_agg(product ORDER BY "column" DESC))[1], array_agg("column"),
    array_agg(units), array_agg(coalesce(gross_units, 0)), array_agg(coalesce(gross_micros, 0))
FROM sold GROUP BY shard, store, sku ORDER BY shard, store, sku
""")
OF_DAYS = sql.SQL("((sale_date - {first}) / {step})::integer")
OF_MONTHS = sql.SQL(
    "((extract(year FROM sale_date) * 12 + extract(month FROM sale_date)) - {first})::integer"
)
# Only the days on which it ran empty or was filled again: few, however often it was counted.
SHELVES = sql.SQL("""
WITH level AS (
    SELECT shard, store, sku, (stock_date - {first})::integer AS day, on_hand_units = 0 AS empty,
        lag(on_hand_units = 0) OVER (PARTITION BY store, sku ORDER BY stock_date) AS before
    FROM {lines} WHERE stock_date < {stop}
)
SELECT shard, store, sku, array_agg(day ORDER BY day), array_agg(empty::integer ORDER BY day)
FROM level WHERE empty IS DISTINCT FROM before GROUP BY shard, store, sku
""")
LAST_DAYS = sql.SQL("""
SELECT store, (max(stock_date) - {first})::integer FROM stock_day WHERE stock_date < {stop}
GROUP BY store
""")
ATTRIBUTES = sql.SQL("SELECT code, attribute, value FROM attribute WHERE subject = {subject}")


@dataclass(frozen=True, slots=True)
class Cut:
    """Which series are in which shard. Everything is in shard 0, if there are no parts."""

    key: ShardKey
    parts: Mapping[str, int] | None = None  # By SKU or store. What is not named is left out.

    def of(self, table: str) -> sql.Composed:
        """The rows of ``table`` as `line`, with their `shard`."""
        if self.parts is None:
            return WHOLE.format(index=sql.Literal(0), table=sql.Identifier(table))
        return CUT.format(
            table=sql.Identifier(table),
            names=sql.Literal(list(self.parts)),
            shards=sql.Literal(list(self.parts.values())),
            column=sql.Identifier("store" if self.key is ShardKey.STORE else "sku"),
        )


async def products(session: AsyncSession) -> dict[str, str]:
    """The product of every SKU that ever sold or was stocked."""
    return {sku: product async for sku, product in stream(session, PRODUCTS.format())}


async def cut_into(session: AsyncSession, shards: Sequence[Shard]) -> Cut:
    """Finds out what is in each of ``shards``, which are parts of one whole."""
    first = shards[0]
    if first.count == 1:
        return Cut(first.key)
    keys = STORES.format() if first.key is ShardKey.STORE else PRODUCTS.format()
    parts = {}
    async for name, key in stream(session, keys):
        index = first.part_of(key)
        if any(shard.index == index for shard in shards):
            parts[name] = index
    return Cut(first.key, parts)


async def sales(session: AsyncSession, grid: Grid, cut: Cut) -> AsyncIterator[tuple[int, Sold]]:
    """Yields what sold in the past of ``grid``, with its shard; by shard, store and SKU."""
    query = SALES.format(
        first=sql.Literal(grid.first_day),
        stop=sql.Literal(_stop(grid)),
        lines=cut.of("sale_line"),
        column=_column(grid),
    )
    async for shard, store, sku, product, columns, units, gross, micros in stream(session, query):
        name = SeriesName(store, sku, product)
        yield shard, Sold(name, columns, units, gross, micros / MICROS)


async def shelves(session: AsyncSession, grid: Grid, cut: Cut) -> dict[int, Shelves]:
    """When the shelves of all series ran empty, as far as is known, by shard."""
    query = SHELVES.format(
        first=sql.Literal(grid.first_day),
        stop=sql.Literal(_stop(grid)),
        lines=cut.of("stock_day"),
    )
    found: dict[int, Shelves] = {}
    async for shard, store, sku, days, empty in stream(session, query):
        shelf = Shelf(days.astype(np.int64), empty.astype(np.bool_))
        found.setdefault(shard, {})[store, sku] = shelf
    return found


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
