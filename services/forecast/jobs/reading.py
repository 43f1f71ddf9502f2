"""The first step of a job: its history is read once, and kept as it was read.

Sales that are imported later change nothing for the job, so that shards agree with each other, and
one that is computed again after a loss with what it would have been.
"""

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.forecasts import Extent, NoSales
from services.forecast.domain.jobs import Job, Progress
from services.forecast.domain.panels import NOW, Shard, View
from services.forecast.engine.period import Period
from services.forecast.panels.read import Read
from services.forecast.shards.data import pack_panel
from services.forecast.stores.history import measure
from services.forecast.stores.panel import read_panels
from services.forecast.stores.shards import ShardKey, ShardNames, ShardStore

MOST_SERIES = 3_000
"""Of a shard. Enough to learn from together, and few enough for a small machine's memory."""
MOST_CELLS = 4_000_000
"""Of a shard, series x periods: long daily histories make smaller shards."""
MOST_GROUPS = 10_000
"""Of a static column: of more, shards have nothing in common that would be worth its names."""
WITHIN = ("product", "sku")  # Never in two shards.
DAY = timedelta(days=1)


async def read_history(session: AsyncSession, job: Job) -> Job:
    """Cuts the tenant's history into shards and adds them. Imports wait meanwhile.

    Returns:
        The job, with what is now known of its size.

    Raises:
        NoSales: there is nothing to learn from.
    """
    extent = await measure(session)
    if extent is None:
        raise NoSales("There are no sales to learn from. Import the history first.")
    store, period = ShardStore(session), Period(job.spec.period)
    series = shards = 0
    cutoff = job.cutoff_date
    parts = read_panels(
        session, extent, job.spec.horizon, period, _shards(extent, job), _views(job)
    )
    async for shard, reads in parts:
        for step, read in enumerate(reads):
            packed = await asyncio.to_thread(pack_panel, read.panel)
            await store.add(ShardKey(job.id, shard.index, step), _names(read), packed)
        cutoff = reads[0].panel.dates[reads[0].panel.periods - 1].item()
        series += reads[0].panel.series
        shards += len(reads)
    if shards == 0:
        raise NoSales("There are no sales of late to learn from. Import newer ones.")
    progress = Progress(job.progress.phase, 0, shards, series)
    return replace(job, progress=progress, cutoff_date=cutoff)


def _shards(extent: Extent, job: Job) -> list[Shard]:
    periods = extent.days / job.spec.period_days
    count = max(extent.series / MOST_SERIES, extent.series * periods / MOST_CELLS, 1)
    # Shards are drawn by a hash, and so of about one size.
    number = math.ceil(count)
    return [Shard(index, number) for index in range(number)]


def _views(job: Job) -> list[View]:
    """How each cutoff sees the history: with the plans of its day."""
    if not job.spec.cutoff_dates:
        return [NOW]
    ends = [datetime.combine(day + DAY, time(), UTC) for day in job.spec.cutoff_dates]
    return [View(as_of=end) for end in ends]


def _names(read: Read) -> ShardNames:
    static = read.names.static
    groups = {
        column: list(names)
        for column, names in static.items()
        if column not in WITHIN and len(names) <= MOST_GROUPS
    }
    products = list(static.get("product", ()))
    return ShardNames([list(series) for series in read.names.series], products, groups)
