"""Jobs as rows. Every statement runs in the caller's transaction, of one tenant.

What ends a job is an UPDATE on the condition that it is under way, and so is all that a running job
stores. So whichever comes first decides, whoever else thinks otherwise.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Update, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.jobs import (
    KEPT,
    LEASE,
    WHOLE,
    Failure,
    Job,
    JobNotFound,
    Kind,
    Origin,
    Phase,
    Progress,
    Score,
    Spec,
    State,
)
from services.forecast.tables.jobs import JobRow, JobScoreRow, JobShardRow
from services.forecast.tables.runs import RunStateRow
from services.forecast.tables.sales import SaleLineRow

ACTIVE = (State.PENDING.value, State.RUNNING.value)


class JobStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, job: Job) -> bool:
        """Adds a job that has not begun. False if another one is under way, or has its request."""
        row = postgresql.insert(JobRow).values(**_values(job))
        added = row.on_conflict_do_nothing().returning(JobRow.job_id)
        return await self._session.scalar(added) is not None

    async def get(self, job_id: UUID) -> Job:
        """Raises JobNotFound."""
        row = await self._session.scalar(select(JobRow).where(JobRow.job_id == job_id))
        if row is None:
            raise JobNotFound("No such job, or it ended long ago. Call ListJobs.", job=job_id)
        return job_from(row, await self._scores(job_id))

    async def find_by_request(self, request_id: UUID) -> Job | None:
        row = await self._session.scalar(select(JobRow).where(JobRow.request_id == request_id))
        return None if row is None else job_from(row, await self._scores(row.job_id))

    async def active(self) -> Job | None:
        """The tenant's job that is under way."""
        row = await self._session.scalar(select(JobRow).where(JobRow.state.in_(ACTIVE)))
        return None if row is None else job_from(row)

    async def is_active(self, job_id: UUID) -> bool:
        query = select(JobRow.job_id).where(JobRow.job_id == job_id, JobRow.state.in_(ACTIVE))
        return await self._session.scalar(query) is not None

    async def newest(self, after: tuple[datetime, UUID] | None, limit: int) -> list[Job]:
        query = select(JobRow).order_by(JobRow.create_time.desc(), JobRow.job_id).limit(limit)
        if after is not None:
            older, same = JobRow.create_time < after[0], JobRow.create_time == after[0]
            query = query.where(or_(older, same & (JobRow.job_id > after[1])))
        rows = (await self._session.scalars(query)).all()
        return [job_from(row, await self._scores(row.job_id)) for row in rows]

    async def take_reading(self, job_id: UUID, holder: UUID, now: datetime) -> int | None:
        """Makes ``holder`` the one that reads the history, unless somebody does.

        Returns:
            How often it was begun, this time included; None if it was not taken.
        """
        free = or_(JobRow.lease_expire_time.is_(None), JobRow.lease_expire_time <= now)
        waiting = JobRow.phase.in_([Phase.WAITING.value, Phase.READING.value])
        attempts: int | None = await self._session.scalar(
            _under_way(job_id)
            .where(waiting, free)
            .values(
                state=State.RUNNING.value,
                phase=Phase.READING.value,
                holder=holder,
                lease_expire_time=now + LEASE,
                attempts=JobRow.attempts + 1,
                start_time=func.coalesce(JobRow.start_time, now),
            )
            .returning(JobRow.attempts)
        )
        return attempts

    async def renew(self, job_id: UUID, holder: UUID, now: datetime) -> bool:
        """False if the job has ended, or is somebody else's by now."""
        held = _under_way(job_id).where(JobRow.holder == holder)
        return await self._changed(held.values(lease_expire_time=now + LEASE))

    async def give_back(self, job_id: UUID, holder: UUID) -> None:
        held = _under_way(job_id).where(JobRow.holder == holder)
        await self._session.execute(held.values(holder=None, lease_expire_time=None))

    async def begin_computing(self, job: Job, holder: UUID) -> bool:
        """Says what was read. False like `renew`."""
        held = _under_way(job.id).where(JobRow.holder == holder)
        return await self._changed(
            held.values(
                phase=Phase.COMPUTING.value,
                total_shards=job.progress.total_shards,
                series=job.progress.series,
                cutoff_date=job.cutoff_date,
                holder=None,
                lease_expire_time=None,
            )
        )

    async def count_shard(self, job_id: UUID) -> int | None:
        """Counts one more shard that is done. Holds the job until the transaction ends.

        Returns:
            How many are not done; None if the job has ended.
        """
        counted = _under_way(job_id).values(done_shards=JobRow.done_shards + 1)
        left: int | None = await self._session.scalar(
            counted.returning(JobRow.total_shards - JobRow.done_shards)
        )
        return left

    async def lock(self, job_id: UUID) -> Job | None:
        """Holds the job until the transaction ends. None if it has ended."""
        query = select(JobRow).where(JobRow.job_id == job_id, JobRow.state.in_(ACTIVE))
        row = await self._session.scalar(query.with_for_update())
        return None if row is None else job_from(row)

    async def succeed(
        self, job_id: UUID, model: str, scores: Sequence[Score], now: datetime
    ) -> None:
        if scores:
            rows = [{"job_id": job_id, **score._asdict()} for score in scores]
            await self._session.execute(insert(JobScoreRow), rows)
        await self._end(job_id, now, State.SUCCEEDED, model=model)

    async def fail(self, job_id: UUID, failure: Failure, now: datetime) -> bool:
        """False if it has ended."""
        reason, message = failure
        said = {"error_reason": reason, "error_message": message}
        return await self._end(job_id, now, State.FAILED, **said)

    async def cancel(self, job_id: UUID, now: datetime) -> bool:
        """False if it has ended."""
        return await self._end(job_id, now, State.CANCELLED)

    async def forget_old(self, now: datetime) -> None:
        old = select(JobRow.job_id).where(JobRow.end_time < now - KEPT)
        await self._session.execute(delete(JobScoreRow).where(JobScoreRow.job_id.in_(old)))
        await self._session.execute(delete(JobRow).where(JobRow.end_time < now - KEPT))

    async def _end(self, job_id: UUID, now: datetime, state: State, **said: object) -> bool:
        over = {"state": state.value, "phase": Phase.DONE.value, "end_time": now, "holder": None}
        ended = await self._changed(_under_way(job_id).values(**over, **said))
        if ended:
            shards = JobShardRow.job_id == job_id
            await self._session.execute(delete(JobShardRow).where(shards))
        if ended and state is not State.SUCCEEDED:
            states = RunStateRow.run_id == job_id
            await self._session.execute(delete(RunStateRow).where(states))
        return ended

    async def _changed(self, statement: Update) -> bool:
        found = await self._session.scalar(statement.returning(JobRow.job_id))
        return found is not None

    async def _scores(self, job_id: UUID) -> tuple[Score, ...]:
        query = select(JobScoreRow).where(JobScoreRow.job_id == job_id)
        ordered = query.order_by(
            JobScoreRow.cutoff_date, JobScoreRow.segment != WHOLE, JobScoreRow.segment
        )
        rows = (await self._session.scalars(ordered)).all()
        return tuple(Score(*(getattr(row, name) for name in Score._fields)) for row in rows)


async def sales_span(session: AsyncSession) -> tuple[date, date] | None:
    """The days of the first and the last sale that is known."""
    query = select(func.min(SaleLineRow.sale_date), func.max(SaleLineRow.sale_date))
    first, last = (await session.execute(query)).one()
    return None if first is None else (first, last)


def _under_way(job_id: UUID) -> Update:
    return update(JobRow).where(JobRow.job_id == job_id, JobRow.state.in_(ACTIVE))


def job_from(row: JobRow, scores: tuple[Score, ...] = ()) -> Job:
    failure = Failure(row.error_reason, row.error_message or "") if row.error_reason else None
    return Job(
        id=row.job_id,
        request_id=row.request_id,
        spec=Spec(Kind(row.kind), row.period, row.horizon, row.effort, tuple(row.cutoff_dates)),
        origin=Origin(row.origin),
        state=State(row.state),
        progress=Progress(Phase(row.phase), row.done_shards, row.total_shards, row.series),
        create_time=row.create_time,
        start_time=row.start_time,
        end_time=row.end_time,
        failure=failure,
        cutoff_date=row.cutoff_date,
        model=row.model,
        scores=scores,
    )


def _values(job: Job) -> dict[str, object]:
    return {
        "job_id": job.id,
        "request_id": job.request_id,
        "origin": job.origin.value,
        "kind": job.spec.kind.value,
        "period": job.spec.period,
        "horizon": job.spec.horizon,
        "effort": job.spec.effort,
        "cutoff_dates": list(job.spec.cutoff_dates),
        "state": job.state.value,
        "phase": job.progress.phase.value,
        "create_time": job.create_time,
    }
