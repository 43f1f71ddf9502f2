"""What callers may do with jobs. The work itself is the runner's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import RequestIdReused
from services.chassis.tenancy import TenantId, current_caller
from services.forecast.domain.forecasts import (
    MOST_CELLS,
    Extent,
    NoSales,
    Run,
    RunInProgress,
    RunRequest,
    check_size,
)
from services.forecast.domain.jobs import (
    CutoffOutsideHistory,
    Job,
    JobEnded,
    Kind,
    Origin,
    Progress,
    Schedule,
    Spec,
    State,
)
from services.forecast.jobs.end import clean
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.stores import turns
from services.forecast.stores.history import measure
from services.forecast.stores.jobs import JobStore, sales_span
from services.forecast.stores.runs import RunStore
from services.forecast.stores.turns import Turn

LOOK_SECONDS = 0.25
RUN_EFFORT = "light"
"""Of a run for whose end a call waits."""

Wake = Callable[[str, TenantId], None]
"""Has somebody look at a tenant of a home region."""


class Jobs:
    def __init__(
        self, database: Database, clock: Clock, wake: Wake, most_cells: int = MOST_CELLS
    ) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        self._most_cells = most_cells

    async def create(self, request_id: UUID, spec: Spec) -> Job:
        """Accepts a job.

        Raises:
            RequestIdReused: the request_id belongs to another job.
            NoSales: there is nothing to learn from.
            HistoryTooLarge: there is more to learn from than one tenant may have of its region.
            CutoffOutsideHistory: there is nothing before a cutoff, or nothing after it.
            RunInProgress: another job of the tenant is under way.
        """
        caller = current_caller()
        async with self._database.transaction() as session:
            job = await self._created(session, request_id, spec)
            await turns.wake(session, self._clock())
        self._wake(caller.home_region, caller.tenant_id)
        return job

    async def _created(self, session: AsyncSession, request_id: UUID, spec: Spec) -> Job:
        store = JobStore(session)
        earlier = await store.find_by_request(request_id)
        if earlier is None:
            _check_history(spec, await measure(session), self._most_cells)
            job = _accepted(request_id, spec, self._clock())
            if await store.add(job):
                return job
            earlier = await store.find_by_request(request_id)
        if earlier is None:
            active = await store.active()
            raise RunInProgress(
                "Another job is under way. Cancel it, or retry when it has ended.",
                job=f"jobs/{active.id}" if active else "",
            )
        if earlier.spec != spec:
            raise RequestIdReused(request_id)
        return earlier

    async def get(self, job_id: UUID) -> Job:
        """Raises JobNotFound."""
        async with self._database.transaction() as session:
            return await JobStore(session).get(job_id)

    async def list(self, after: tuple[datetime, UUID] | None, limit: int) -> list[Job]:
        """Newest first."""
        async with self._database.transaction() as session:
            return await JobStore(session).newest(after, limit)

    async def cancel(self, job_id: UUID) -> Job:
        """Ends a job, and what it has stored.

        Raises:
            JobNotFound: there is none.
            JobEnded: it succeeded or failed before.
        """
        caller = current_caller()
        async with self._database.transaction() as session:
            cancelled = await JobStore(session).cancel(job_id, self._clock())
            job = await JobStore(session).get(job_id)
        if job.state is not State.CANCELLED:
            raise JobEnded("The job has ended; there is nothing to cancel.", job=f"jobs/{job_id}")
        if cancelled:
            data = TenantData(self._database, caller.home_region, caller.tenant_id)
            await clean(data, self._clock)
        return job

    async def watch(self, job_id: UUID) -> AsyncIterator[Job]:
        """Yields the job, and again whenever it has changed, until it has ended.

        Raises:
            JobNotFound: there is none.
        """
        shown = None
        while True:
            job = await self.get(job_id)
            if job != shown:
                yield job
            if job.state.ended:
                return
            shown = job
            await asyncio.sleep(LOOK_SECONDS)

    async def schedule(self) -> tuple[Schedule, datetime | None]:
        """The tenant's schedule, and when its next job begins; None if none does."""
        tenant_id = current_caller().tenant_id
        async with self._database.transaction() as session:
            schedule = await turns.schedule(session)
            known = await sales_span(session) is not None
        begins = schedule.enabled and known
        return schedule, schedule.next_time(tenant_id, self._clock()) if begins else None

    async def set_schedule(self, wanted: Schedule) -> tuple[Schedule, datetime | None]:
        caller = current_caller()
        async with self._database.transaction() as session:
            await turns.set_schedule(session, wanted)
            await turns.set_turn(session, Turn(self._clock(), None))
        self._wake(caller.home_region, caller.tenant_id)
        return await self.schedule()

    async def create_run(self, request: RunRequest) -> Run:
        """Begins a daily forecast and waits for its end. The job goes on if the caller does not.

        Raises:
            NoSales, HistoryTooLarge, RunInProgress, RequestIdReused: see `create`.
        """
        spec = Spec(Kind.FORECAST, "D", request.horizon_days, RUN_EFFORT)
        job = await self.create(request.request_id, spec)
        async for seen in self.watch(job.id):
            job = seen
        if job.state is State.CANCELLED:
            raise RunInProgress("The run was cancelled.", job=f"jobs/{job.id}")
        async with self._database.transaction() as session:
            run = await RunStore(session).find(job.id)
        if run is None:
            raise RuntimeError(f"job {job.id} failed: {job.failure}")
        return run


def _accepted(request_id: UUID, spec: Spec, now: datetime) -> Job:
    return Job(uuid4(), request_id, spec, Origin.REQUEST, State.PENDING, Progress(), now)


def _check_history(spec: Spec, extent: Extent | None, most_cells: int) -> None:
    if extent is None:
        raise NoSales("There are no sales to learn from. Import the history first.")
    check_size(extent, spec.horizon * spec.period_days, most_cells)
    first, last = extent.first_date, extent.last_date
    # Of two weeks in a row, whenever they begin, one is whole.
    margin = timedelta(days=2 * spec.period_days - 2)
    day = timedelta(days=1)
    for cutoff in spec.cutoff_dates:
        if not first + margin <= cutoff <= last - margin - day:
            raise CutoffOutsideHistory(
                f"Sales are known from {first} to {last}; forecasts from {cutoff} need a whole "
                "period of them before and after it. Ask for cutoffs further inside.",
                first_date=first,
                last_date=last,
            )
