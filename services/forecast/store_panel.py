"""Reads a tenant's history from PostgreSQL as the engine's panel.

Rows arrive one a series, and days, where they are needed, a block of series at a time: memory holds
the panel and little else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast import known, store_series
from services.forecast.collected import Collected, Days, stacked
from services.forecast.domain import Extent
from services.forecast.domain_facts import Subject
from services.forecast.domain_panel import NOW, WHOLE, SeriesName, Shard, View
from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.grid import Grid, grid_of
from services.forecast.known import Rows
from services.forecast.locks import share_sales
from services.forecast.store_plans import events_between, promotions_between

EVER = datetime(9999, 12, 31, tzinfo=UTC)
OF_STORE = "store_"


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a panel stand for."""

    series: list[SeriesName]  # In the order of the rows: by store and SKU.
    static: Mapping[str, tuple[str, ...]]
    """Of each column of `Panel.static`, what its codes mean. `store`, `sku`, `product`; SKUs'
    attributes by name; stores' with `store_` before it. An attribute that is not known is empty."""


@dataclass(frozen=True, slots=True)
class Read:
    panel: Panel
    names: Names


async def read_panel(
    session: AsyncSession,
    extent: Extent,
    horizon: int,
    period: Period,
    shard: Shard = WHOLE,
    view: View = NOW,
) -> Read:
    """Reads the history of ``extent``, which `store_history.measure` found, as a panel.

    Rows are the series that sold or were stocked within the extent, by store and SKU. Columns are
    whole periods: a week or month of which the extent has only a part is left out (see `grid_of`).
    Units are demand: where stock days say that the shelf ran empty, what was missed is put in, day
    by day, and a shelf that was empty all day has no exposure. `known` and `static` are described
    in `known` and `Names`.

    Args:
        session: of the tenant.
        extent: of all of the tenant's history, whatever the shard. What lies after its last day is
            not read, but for plans.
        horizon: periods to forecast: `Panel.ahead`.
        period: how long a column is.
        shard: which series to read.
        view: as of when, and how weeks are cut.

    Returns:
        A panel with no row, if no series is in the shard.
    """
    grid = grid_of(extent, period, horizon, view.week_end)
    await share_sales(session)
    within = await store_series.in_shard(session, shard)
    found = await _series(session, grid, within)
    rows = Rows(*await _static(session, found.names))
    panel = Panel(
        period=grid.period,
        dates=grid.dates,
        units=stacked(found.units, grid),
        known=await _known(session, grid, found, rows, view),
        static=rows.codes,
        exposure=stacked(found.exposure, grid) if found.exposure else None,
        weights=found.weights(grid),
    )
    return Read(panel, Names(found.names, rows.meanings))


async def _series(session: AsyncSession, grid: Grid, within: sql.Composable) -> Collected:
    shelves = await store_series.shelves(session, grid, within)
    found = Collected()
    if not shelves:
        async for sold in store_series.sales(session, grid, within):
            found.add(sold, grid)
        return found
    last_days = await store_series.last_stock_days(session, grid)
    days = Days(grid, found, shelves, last_days)
    async for sold in store_series.sales(session, grid.daily(), within):
        days.add(sold)
    products = await store_series.products(session) if shelves else {}
    for store, sku in sorted(shelves):
        days.add_unsold(SeriesName(store, sku, products[sku]))
    days.flush()
    found.sort()
    return found


async def _known(
    session: AsyncSession, grid: Grid, found: Collected, rows: Rows, view: View
) -> dict[str, Floats]:
    if not found.names:
        return {}
    first, last = grid.first_day, grid.dates[-1].item()
    as_of = view.as_of or EVER
    plan = known.promoted(await promotions_between(session, as_of, first, last), rows, grid)
    events = await events_between(session, as_of, first, last)
    skus = rows.codes["sku"]
    gross_units, revenue = stacked(found.gross_units, grid), stacked(found.revenue, grid)
    priced = known.prices(gross_units, revenue, skus, plan)
    return {**priced, **plan.columns, **known.calendar(events, rows, grid)}


async def _static(
    session: AsyncSession, names: list[SeriesName]
) -> tuple[dict[str, Integers], dict[str, tuple[str, ...]]]:
    columns = {name: [series[at] for series in names] for at, name in enumerate(SeriesName._fields)}
    for subject, prefix in ((Subject.SKU, ""), (Subject.STORE, OF_STORE)):
        for attribute, values in sorted((await store_series.attributes(session, subject)).items()):
            columns[prefix + attribute] = [values.get(code, "") for code in columns[subject.value]]
    codes: dict[str, Integers] = {}
    meanings: dict[str, tuple[str, ...]] = {}
    for name, texts in columns.items():
        codes[name], meanings[name] = _coded(texts)
    return codes, meanings


def _coded(names: list[str]) -> tuple[Integers, tuple[str, ...]]:
    """Numbers names in their order from 0."""
    meanings = tuple(sorted(set(names)))
    codes = {name: code for code, name in enumerate(meanings)}
    return np.array([codes[name] for name in names], dtype=np.int64), meanings
