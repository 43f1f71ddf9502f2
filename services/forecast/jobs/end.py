"""The last step of a job: its results become what is read. And what is left of older ones goes."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.clock import Clock
from services.forecast.domain.forecasts import Run, RunRequest, Trend
from services.forecast.domain.jobs import WHOLE, Job, Kind, Score
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.shards.figures import Figures, scores
from services.forecast.shards.sums import PRODUCT, Gathered, Group
from services.forecast.stores import partitions
from services.forecast.stores.jobs import JobStore
from services.forecast.stores.runs import RunStore
from services.forecast.stores.shards import ShardKey, ShardStore
from services.forecast.stores.totals import TotalStore


async def end(session: AsyncSession, job_id: UUID, now: datetime) -> bool:
    """Ends a job all of whose shards are done. False if they are not, or it has ended already."""
    jobs, shards = JobStore(session), ShardStore(session)
    job = await jobs.lock(job_id)
    if job is None or job.progress.done_shards < job.progress.total_shards:
        return False
    keys: list[ShardKey] = []
    parts: list[Figures] = []
    trends: list[Trend] = []
    async for key, figures in shards.figures(job_id):
        keys.append(key)
        parts.append(Figures.from_bytes(figures))
        if parts[-1].trends.size:
            trends += _trends(parts[-1], (await shards.names(key)).products)
    found = scores(parts)
    model = "+".join(sorted({name for part in parts for name in part.model.split("+") if name}))
    if job.spec.kind is Kind.FORECAST:
        run = _run(job, await RunStore(session).next_number(), model, found, now)
        await RunStore(session).add(run, job.spec.effort, _ranked(trends))
        groups = await _groups(shards, keys)
        await TotalStore(session).add(run.id, groups)
    await jobs.succeed(job_id, model, found, now)
    return True


async def _groups(shards: ShardStore, keys: Sequence[ShardKey]) -> list[Group]:
    """What the series of all shards add up to. One shard is in memory at a time.

    Nothing, if a shard was computed by the version before, which added nothing up.
    """
    gathered = Gathered()
    for key in keys:
        packed, names = await shards.sums(key), await shards.names(key)
        if not packed:
            return []
        by_level = {**names.groups, PRODUCT: names.products}
        # In a thread: calls are answered meanwhile.
        await asyncio.to_thread(gathered.add, packed, by_level)
    return await asyncio.to_thread(lambda: [*gathered.groups()])


def _run(job: Job, number: int, model: str, found: tuple[Score, ...], now: datetime) -> Run:
    assert job.cutoff_date is not None, "known since the history was read"  # noqa: S101
    whole = [score for score in found if score.segment == WHOLE]
    days = job.spec.horizon * job.spec.period_days
    return Run(
        id=job.id,
        number=number,
        request=RunRequest(job.request_id, days),
        cutoff_date=job.cutoff_date,
        series=job.progress.series,
        model=model,
        coverage=whole[-1].coverage if whole else np.nan,
        wape=whole[-1].wmape if whole else np.nan,
        create_time=now,
        period=job.spec.period,
    )


def _trends(figures: Figures, products: Sequence[str]) -> list[Trend]:
    """A shard's trends, not ranked yet."""
    return [
        Trend(0, products[int(code)], growth, low, int(recent), int(previous))
        for code, growth, low, recent, previous in figures.trends.tolist()
    ]


def _ranked(trends: list[Trend]) -> list[Trend]:
    ordered = sorted(trends, key=lambda trend: (-trend.growth_ratio_p10, trend.product))
    return [trend._replace(rank=rank) for rank, trend in enumerate(ordered, start=1)]


async def clean(data: TenantData, clock: Clock) -> None:
    """Drops what neither a kept run nor the job under way needs. What is in use stays for later."""
    async with data.transaction() as session:
        kept = set(await RunStore(session).expire())
        active = await JobStore(session).active()
        await JobStore(session).forget_old(clock())
        found = await partitions.partitions(session)
    needed = {(partitions.SERIES, run_id) for run_id in kept}
    if active is not None:
        needed |= {(parent, active.id) for parent, _ in found}
    for parent, key in found:
        if (parent, key) not in needed:
            async with data.transaction() as session:
                await partitions.drop(session, parent, key)
