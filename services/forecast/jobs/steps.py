"""The steps of a job, each of which any process of the region may take up and do.

    read the history, cut it into shards  ->  compute shards  ->  put the results together

What a step has found is stored in one transaction, on the condition that the job is under way and
the step still held. So a step that is done twice, because its first holder was slow or lost, is
stored once; and since a shard is stored as it was read, and computed without chance, whoever does
it finds the same.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.cache import Cache
from services.chassis.clock import Clock
from services.chassis.database import DatabaseUnavailable
from services.chassis.errors import HemlineError
from services.forecast.domain.jobs import MOST_ATTEMPTS, RENEWAL, Failure, Job, Kind, Phase
from services.forecast.jobs.end import clean, end
from services.forecast.jobs.reading import read_history
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.shards.data import Found, Place, Task
from services.forecast.shards.executor import Executor
from services.forecast.stores import partitions
from services.forecast.stores.jobs import JobStore
from services.forecast.stores.runs import RunStore
from services.forecast.stores.shards import Part, ShardKey, ShardStore, Taken

LOOK_SECONDS = 0.25
"""How soon a process sees that its job was cancelled."""
INTERNAL = Failure(
    "INTERNAL", "The forecast failed by a fault of ours. It was logged; another job may succeed."
)

log = structlog.get_logger()
T = TypeVar("T")


class LeaseLost(Exception):
    """The job has ended, or the step went to somebody else. Nothing is stored."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads the history. Held by the job's lease."""

    job: Job
    attempts: int


@dataclass(frozen=True, slots=True)
class Computing:
    """Computes a shard. Held by the shard's lease."""

    job: Job
    taken: Taken


@dataclass(frozen=True, slots=True)
class Ending:
    """Puts the results together. Held by nobody: it is one short transaction."""

    job: Job


Step = Reading | Computing | Ending


class Steps:
    """Takes up and does steps, in the name of ``holder``."""

    def __init__(self, clock: Clock, executor: Executor, cache: Cache, holder: UUID) -> None:
        self._clock = clock
        self._cache = cache
        self._executor = executor
        self._holder = holder

    async def take(self, data: TenantData, job: Job, part: Part | None) -> Step | None:
        """Takes up what ``job`` waits for, if it does.

        Args:
            data: of the job's tenant.
            job: as it is now, under way.
            part: of the shards to compute; none of them, if None.
        """
        now = self._clock()
        async with data.transaction() as session:
            if job.progress.phase in (Phase.WAITING, Phase.READING):
                attempts = await JobStore(session).take_reading(job.id, self._holder, now)
                return None if attempts is None else Reading(job, attempts)
            if job.progress.done_shards == job.progress.total_shards:
                return Ending(job)
            if part is None:
                return None
            taken = await ShardStore(session).take(job.id, self._holder, now, part)
        return None if taken is None else Computing(job, taken)

    async def do(self, data: TenantData, step: Step) -> None:
        """Does a step, unless its job ends meanwhile. What fails is tried again, a few times."""
        try:
            await self._done(data, step)
        except LeaseLost:
            log.info("step_lost", job=str(step.job.id), step=type(step).__name__)
        except DatabaseUnavailable:
            # The lease runs out, and somebody takes it up again.
            log.warning("step_interrupted", job=str(step.job.id), step=type(step).__name__)
        except asyncio.CancelledError:
            # This process ends. Another one need not wait for the lease's end.
            await asyncio.shield(self._give_back(data, step))
            raise
        except HemlineError as error:
            await self._fail(data, step.job, Failure(error.reason, str(error)))
        except Exception:
            log.exception("step_failed", job=str(step.job.id), step=type(step).__name__)
            if _attempts(step) >= MOST_ATTEMPTS:
                await self._fail(data, step.job, INTERNAL)
            else:
                await self._give_back(data, step)

    async def _done(self, data: TenantData, step: Step) -> None:
        match step:
            case Reading():
                await self._read(data, step)
            case Computing():
                await self._compute(data, step)
            case Ending():
                await self._end(data, step.job)

    async def _read(self, data: TenantData, step: Reading) -> None:
        job = step.job

        async def work() -> None:
            for parent in _partitions(job):
                async with data.transaction() as session:
                    await partitions.ensure(session, parent, job.id)
            async with data.transaction() as session:
                read = await read_history(session, job)
                if not await JobStore(session).begin_computing(read, self._holder):
                    raise LeaseLost

        async def renew(session: AsyncSession) -> bool:
            return await JobStore(session).renew(job.id, self._holder, self._clock())

        await self._while_held(data, job, work(), renew)

    async def _compute(self, data: TenantData, step: Computing) -> None:
        key = step.taken.key

        async def work() -> Found:
            async with data.transaction() as session:
                panel = await ShardStore(session).panel(key)
                names = await ShardStore(session).names(key)
            cutoffs = step.job.spec.cutoff_dates
            cutoff = cutoffs[key.step].isoformat() if cutoffs else None
            task = Task(panel, step.job.spec.effort, cutoff, Place(key.shard, names.keys()))
            return Found.from_bytes(await self._executor.run(task.to_bytes()))

        async def renew(session: AsyncSession) -> bool:
            return await ShardStore(session).renew(key, self._holder, self._clock())

        found = await self._while_held(data, step.job, work(), renew)
        if await self._store(data, key, found) == 0:
            await self._end(data, step.job)

    async def _store(self, data: TenantData, key: ShardKey, found: Found) -> int:
        """Returns how many shards are not done. Raises LeaseLost."""
        async with data.transaction() as session:
            shards, runs = ShardStore(session), RunStore(session)
            left = await JobStore(session).count_shard(key.job_id)
            if left is None:
                raise LeaseLost
            if not await shards.finish(key, self._holder, found.figures, found.sums):
                raise LeaseLost
            if found.rows:
                names = await shards.names(key)
                await runs.add_series(key.job_id, key.shard, names.series, found.rows)
            if found.state:
                await runs.add_state(key.job_id, key.shard, found.state)
        return left

    async def _end(self, data: TenantData, job: Job) -> None:
        """Ends the job, all of whose shards are done."""
        async with self._cache.changing(data.tenant_id), data.transaction() as session:
            ended = await end(session, job.id, self._clock())
        if ended:
            log.info("job_succeeded", job=str(job.id))
            await clean(data, self._clock)

    async def _fail(self, data: TenantData, job: Job, failure: Failure) -> None:
        async with data.transaction() as session:
            failed = await JobStore(session).fail(job.id, failure, self._clock())
        if failed:
            log.warning("job_failed", job=str(job.id), reason=failure.reason)
            await clean(data, self._clock)

    async def _give_back(self, data: TenantData, step: Step) -> None:
        async with data.transaction() as session:
            if isinstance(step, Reading):
                await JobStore(session).give_back(step.job.id, self._holder)
            if isinstance(step, Computing):
                await ShardStore(session).give_back(step.taken.key, self._holder)

    async def _while_held(
        self,
        data: TenantData,
        job: Job,
        work: Coroutine[None, None, T],
        renew: Callable[[AsyncSession], Awaitable[bool]],
    ) -> T:
        """Does ``work`` as long as the job is under way and ``renew`` holds.

        Raises:
            LeaseLost: it was given up.
        """
        doing = asyncio.ensure_future(work)
        watching = asyncio.ensure_future(self._watch(data, job, renew))
        try:
            await asyncio.wait((doing, watching), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                await watching
                raise LeaseLost
            return doing.result()
        finally:
            for task in (doing, watching):
                task.cancel()
            await asyncio.wait((doing, watching))

    async def _watch(
        self, data: TenantData, job: Job, renew: Callable[[AsyncSession], Awaitable[bool]]
    ) -> None:
        """Returns when the job has ended or the lease is lost. A database may be away meanwhile."""
        looks = int(RENEWAL.total_seconds() / LOOK_SECONDS)
        for look in itertools.count(1):
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with data.transaction() as session:
                    if not await JobStore(session).is_active(job.id):
                        return
                    if look % looks == 0 and not await renew(session):
                        return
            except DatabaseUnavailable:
                log.warning("lease_not_renewed", job=str(job.id))


def _partitions(job: Job) -> tuple[str, ...]:
    results = (partitions.SERIES,) if job.spec.kind is Kind.FORECAST else ()
    return (partitions.INPUT, *results)


def _attempts(step: Step) -> int:
    match step:
        case Reading():
            return step.attempts
        case Computing():
            return step.taken.attempts
        case Ending():
            return MOST_ATTEMPTS
