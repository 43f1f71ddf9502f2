"""Reads a tenant's history from PostgreSQL as the engine's panel.

Rows arrive one a series, and days, where they are needed, a block of series at a time: memory holds
the panel and little else.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.facts import Subject
from services.forecast.domain.forecasts import Extent
from services.forecast.domain.panels import NOW, WHOLE, SeriesName, Shard, View
from services.forecast.domain.plans import Plan
from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.panels import known
from services.forecast.panels.collected import Collected, Days, Periods, stacked
from services.forecast.panels.grid import Grid, grid_of
from services.forecast.panels.known import Rows
from services.forecast.panels.read import OF_STORE, Names, Read
from services.forecast.postgres.locks import share_sales
from services.forecast.stores import series
from services.forecast.stores.plans import plan_between

EVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known beside sales and stock."""

    attributes: dict[Subject, dict[str, dict[str, str]]]  # Values by attribute and code.
    plans: list[tuple[datetime, Plan] | None]  # As of each view; None if it asks for none.


async def read_panel(
    session: AsyncSession,
    extent: Extent,
    horizon: int,
    period: Period,
    shard: Shard = WHOLE,
    view: View = NOW,
) -> Read:
    """Reads the history of ``extent``, which `history.measure` found, as a panel.

    Rows are the series that sold or were stocked within the extent, by store and SKU. Columns are
    whole periods: a week or month of which the extent has only a part is left out (see `grid_of`).
    Units are demand: where stock days say that the shelf ran empty, what was missed is put in, day
    by day, and a shelf that was empty all day has no exposure. `known` and `static` are described
    in `panels.known` and `Names`.

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
    # One at most, but to the end: nothing of the cursor must outlive the transaction.
    found = [found async for _, found in _collected(session, grid, [shard])] or [Collected()]
    told = await _told(session, grid, [view])
    return _reads(grid, found[0], told)[0]


async def read_panels(
    session: AsyncSession,
    extent: Extent,
    horizon: int,
    period: Period,
    shards: Sequence[Shard],
    views: Sequence[View] = (NOW,),
) -> AsyncIterator[tuple[Shard, list[Read]]]:
    """Yields each shard as each view sees it, as `read_panel` does, in one pass over the history.

    One shard is in memory at a time. A shard without a series is left out. The session may be used
    between one and the next.

    Args:
        session: of the tenant.
        extent: of all of the tenant's history.
        horizon: periods to forecast.
        period: how long a column is.
        shards: parts of one whole.
        views: they may differ in what is known, not in how weeks are cut.
    """
    if len({view.week_end for view in views}) != 1:
        raise ValueError("views: one week_end for all of them.")
    grid = grid_of(extent, period, horizon, views[0].week_end)
    by_index = {shard.index: shard for shard in shards}
    told = await _told(session, grid, views)
    async for index, found in _collected(session, grid, shards):
        yield by_index[index], _reads(grid, found, told)


async def _collected(
    session: AsyncSession, grid: Grid, shards: Sequence[Shard]
) -> AsyncIterator[tuple[int, Collected]]:
    await share_sales(session)
    cut = await series.cut_into(session, shards)
    shelves = await series.shelves(session, grid, cut)
    # Of all shards, so that each is read in the same way.
    last_days = await series.last_stock_days(session, grid)
    products = await series.products(session) if shelves else {}

    def begun(index: int) -> Days | Periods:
        return Days(grid, shelves.pop(index, {}), last_days) if last_days else Periods(grid)

    at, gathered = -1, None
    async for index, sold in series.sales(session, grid.daily() if last_days else grid, cut):
        if index != at:
            if gathered is not None:
                yield at, gathered.end(products)
            at, gathered = index, begun(index)
        if gathered is not None:
            gathered.add(sold)
    if gathered is not None:
        yield at, gathered.end(products)
    for index in sorted(shelves):
        found = begun(index).end(products)
        if found.names:
            yield index, found


async def _told(session: AsyncSession, grid: Grid, views: Sequence[View]) -> _Told:
    first, last = grid.first_day, grid.dates[-1].item()
    moments = [(view.as_of or EVER) if view.ahead else None for view in views]
    return _Told(
        {subject: await series.attributes(session, subject) for subject in Subject},
        [
            (moment, await plan_between(session, moment, first, last)) if moment else None
            for moment in moments
        ],
    )


def _reads(grid: Grid, found: Collected, told: _Told) -> list[Read]:
    rows = Rows(*_static(found.names, told))
    names = Names(found.names, rows.meanings)
    panel = Panel(
        period=grid.period,
        dates=grid.dates,
        units=stacked(found.units, grid),
        static=rows.codes,
        exposure=stacked(found.exposure, grid) if found.exposure else None,
        weights=found.weights(grid),
    )
    return [
        Read(replace(panel, known=_known(grid, found, rows, *each)) if each else panel, names)
        for each in told.plans
    ]


def _known(
    grid: Grid, found: Collected, rows: Rows, as_of: datetime, plan: Plan
) -> dict[str, Floats]:
    if not found.names:
        return {}
    promoted = known.promoted(plan.promotions, rows, grid)
    # What was paid later was not known then: from there on, prices are what was planned.
    seen = int((grid.dates[: grid.periods] < np.datetime64(as_of.date())).sum())
    paid = [stacked(each, grid)[:, :seen] for each in (found.gross_units, found.revenue)]
    priced = known.prices(paid[0], paid[1], rows.codes["sku"], promoted)
    return {**priced, **promoted.columns, **known.calendar(plan.events, rows, grid)}


def _static(
    names: list[SeriesName], told: _Told
) -> tuple[dict[str, Integers], dict[str, tuple[str, ...]]]:
    columns = {name: [each[at] for each in names] for at, name in enumerate(SeriesName._fields)}
    for subject, prefix in ((Subject.SKU, ""), (Subject.STORE, OF_STORE)):
        for attribute, values in sorted(told.attributes[subject].items()):
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
