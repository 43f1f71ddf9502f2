"""Reads a tenant's history from PostgreSQL as the engine's panel.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
Rows arrive one a series, so that memory holds the panel and little else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain import Extent
from services.forecast.domain_panel import NOW, WHOLE, Shard, ShardKey, View
from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.grid import Grid, grid_of
from services.forecast.locks import share_sales
from services.forecast.streaming import stream

MICROS = 1_000_000.0
RECENT_DAYS = 84
"""How far back the revenue reaches by which series are weighted."""

SALES = sql.SQL("""
WITH line AS (
    SELECT * FROM sale_line WHERE sale_date >= {first} AND sale_date < {stop} AND {in_shard}
), sold AS (
    SELECT store, sku, {column} AS "column", max(product COLLATE "C") AS product,
        sum(units)::double precision AS units,
        (sum(units) FILTER (WHERE units > 0))::double precision AS gross_units,
        (sum(units * unit_price_micros) FILTER (WHERE units > 0))::double precision AS gross_micros
    FROM line GROUP BY store, sku, 3
)
SELECT store, sku, (array_agg(product ORDER BY "column" DESC))[1], array_agg("column"),
    array_agg(units), array_agg(coalesce(gross_units, 0)), array_agg(coalesce(gross_micros, 0))
FROM sold GROUP BY store, sku ORDER BY store, sku
""")
DAYS = sql.SQL("((sale_date - {first}) / {step})::integer")
MONTHS = sql.SQL(
    "((extract(year FROM sale_date) * 12 + extract(month FROM sale_date)) - {first})::integer"
)
EVERYTHING = sql.SQL("true")
# The same on every server of one version, whatever its locale. An SKU has the product of its last
# sale anywhere, so that all stores' series of it are in one shard.
OF_STORE = sql.SQL("(hashtextextended(store, 0) & 9223372036854775807) % {count} = {index}")
OF_PRODUCT = sql.SQL("""sku IN (
    SELECT sku FROM sale_line GROUP BY sku HAVING (
        hashtextextended(substr(max(sale_date::text || product COLLATE "C"), 11), 0)
        & 9223372036854775807
    ) % {count} = {index}
)""")


class SeriesName(NamedTuple):
    """What a row of a panel stands for."""

    store: str
    sku: str
    product: str  # As the last sale named it.


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a panel stand for."""

    series: list[SeriesName]  # In the order of the rows: by store and SKU.
    static: Mapping[str, tuple[str, ...]]  # Of each column of `Panel.static`, what its codes mean.


@dataclass(frozen=True, slots=True)
class Read:
    panel: Panel
    names: Names


@dataclass(slots=True)
class _Sold:
    """Sales of a shard. Rows of arrays are (periods,)."""

    names: list[SeriesName] = field(default_factory=list)
    units: list[Floats] = field(default_factory=list)  # NaN before the first sale.
    gross_units: list[Floats] = field(default_factory=list)  # Returns not taken off.
    revenue: list[Floats] = field(default_factory=list)  # Of them.


async def read_panel(
    session: AsyncSession,
    extent: Extent,
    horizon: int,
    period: Period,
    shard: Shard = WHOLE,
    view: View = NOW,
) -> Read:
    """Reads the history of ``extent``, which `store_history.measure` found, as a panel.

    Rows are the series that sold within the extent, by store and SKU. Columns are whole periods: a
    week or month of which the extent has only a part is left out (see `grid_of`).

    Args:
        session: of the tenant.
        extent: of all of the tenant's history, whatever the shard.
        horizon: periods to forecast: `Panel.ahead`.
        period: how long a column is.
        shard: which series to read.
        view: as of when, and how weeks are cut.

    Returns:
        A panel with no row, if no series is in the shard.
    """
    grid = grid_of(extent, period, horizon, view.week_end)
    await share_sales(session)
    sold = await _sales(session, grid, shard)
    panel, static = _assembled(grid, sold)
    return Read(panel, Names(sold.names, static))


async def _sales(session: AsyncSession, grid: Grid, shard: Shard) -> _Sold:
    edges = grid.edges
    query = SALES.format(
        first=sql.Literal(grid.first_day),
        stop=sql.Literal(edges[grid.periods].item()),
        in_shard=_in_shard(shard),
        column=_column(grid),
    )
    found = _Sold()
    async for store, sku, product, columns, units, gross_units, micros in stream(session, query):
        row = np.zeros((3, grid.periods))
        row[:, columns] = units, gross_units, micros / MICROS
        row[0, : columns.min()] = np.nan
        found.names.append(SeriesName(store, sku, product))
        # Where more came back than went, nothing sold.
        found.units.append(np.maximum(row[0], 0.0))
        found.gross_units.append(row[1])
        found.revenue.append(row[2])
    return found


def _column(grid: Grid) -> sql.Composed:
    if grid.period is Period.MONTH:
        return MONTHS.format(first=sql.Literal(grid.first_day.year * 12 + grid.first_day.month))
    step = 7 if grid.period is Period.WEEK else 1
    return DAYS.format(first=sql.Literal(grid.first_day), step=sql.Literal(step))


def _in_shard(shard: Shard) -> sql.Composable:
    if shard.count == 1:
        return EVERYTHING
    of = OF_STORE if shard.key is ShardKey.STORE else OF_PRODUCT
    return of.format(count=sql.Literal(shard.count), index=sql.Literal(shard.index))


def _assembled(grid: Grid, sold: _Sold) -> tuple[Panel, Mapping[str, tuple[str, ...]]]:
    units = _stacked(sold.units, grid)
    dates = grid.dates
    recent = dates[: grid.periods] > dates[grid.periods - 1] - RECENT_DAYS
    static: dict[str, Integers] = {}
    meanings: dict[str, tuple[str, ...]] = {}
    for at, name in enumerate(SeriesName._fields):
        static[name], meanings[name] = _coded([series[at] for series in sold.names])
    panel = Panel(
        period=grid.period,
        dates=dates,
        units=units,
        static=static,
        weights=_stacked(sold.revenue, grid)[:, recent].sum(axis=1),
    )
    return panel, meanings


def _stacked(rows: list[Floats], grid: Grid) -> Floats:
    return np.stack(rows) if rows else np.empty((0, grid.periods))


def _coded(names: list[str]) -> tuple[Integers, tuple[str, ...]]:
    """Numbers names in their order from 0."""
    meanings = tuple(sorted(set(names)))
    codes = {name: code for code, name in enumerate(meanings)}
    return np.array([codes[name] for name in names], dtype=np.int64), meanings
