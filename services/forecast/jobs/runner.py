"""Does the jobs of a region's tenants beside its calls, and begins the night's.

Every instance of the service runs one. They share nothing but the database: each looks every second
which tenants have something to do, and takes up what is free.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

import structlog

from services.chassis.clock import Clock
from services.chassis.database import Database, DatabaseUnavailable, RaceLost
from services.chassis.tenancy import TenantId
from services.forecast.domain.jobs import Job, Origin, Progress, Spec, State
from services.forecast.jobs.end import clean
from services.forecast.jobs.steps import Step, Steps
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.stores import turns
from services.forecast.stores.jobs import JobStore, sales_span
from services.forecast.stores.shards import Part
from services.forecast.stores.turns import Turn

POLL_SECONDS = 1.0
MOST_DUE = 100
"""Tenants looked at in one round."""
NEVER = timedelta(days=365)
NIGHTS = UUID("a3f1c3de-2f4e-4c53-9a0c-0d6e6f9b1a51")
"""The namespace of the night's request ids: the same night is begun once, whoever begins it."""

log = structlog.get_logger()


class Runner:
    def __init__(
        self, database: Database, home_region: str, clock: Clock, steps: Steps, slots: int
    ) -> None:
        """Does nothing yet.

        Args:
            database: of the service.
            home_region: whose tenants it looks after.
            clock: tells the time.
            steps: does the work.
            slots: shards computed at once; with none, it does everything but compute shards.
        """
        self._database = database
        self._home_region = home_region
        self._clock = clock
        self._steps = steps
        self._part = Part() if slots else None
        self._slots = max(slots, 1)
        self._doing: set[asyncio.Task[None]] = set()
        self._woken: set[TenantData] = set()
        self._wake = asyncio.Event()

    def wake(self, home_region: str, tenant_id: TenantId) -> None:
        """Has a tenant looked at now. Also one of a sibling region whose job was accepted here."""
        self._woken.add(TenantData(self._database, home_region, tenant_id))
        self._wake.set()

    async def run(self) -> None:
        """Runs until cancelled. What was being done is given back then."""
        try:
            while True:
                self._wake.clear()
                await self._tried_round()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        finally:
            for task in self._doing:
                task.cancel()
            if self._doing:
                await asyncio.wait(self._doing)

    async def _tried_round(self) -> None:
        try:
            await self._round()
        except (DatabaseUnavailable, RaceLost):
            pass  # Logged where it was raised. The next round may find the database back.
        except Exception:
            # Calls are answered whatever becomes of jobs.
            log.exception("round_failed")

    async def _round(self) -> None:
        """Fills the free slots: one step of each tenant in turn, while there are any."""
        woken, self._woken = self._woken, set()
        async with self._database.transaction_of(self._home_region, None) as session:
            due = await turns.due(session, self._clock(), MOST_DUE)
        found = {TenantData(self._database, self._home_region, tenant_id) for tenant_id in due}
        waiting = sorted(found | woken, key=lambda data: data.tenant_id in due)
        while waiting and len(self._doing) < self._slots:
            data = waiting.pop(0)
            step = await self._next(data)
            if step is not None:
                self._begin(data, step)
                waiting.append(data)

    def _begin(self, data: TenantData, step: Step) -> None:
        task = asyncio.create_task(self._steps.do(data, step))
        self._doing.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._doing.discard(done)
            if not done.cancelled() and done.exception() is not None:
                log.error("step_crashed", exc_info=done.exception())
            self.wake(data.home_region, data.tenant_id)

        task.add_done_callback(ended)

    async def _next(self, data: TenantData) -> Step | None:
        """Takes up a step of the tenant's job, if there is one that is free."""
        async with data.transaction() as session:
            job = await JobStore(session).active()
        if job is None:
            job = await self._idle(data)
        return None if job is None else await self._steps.take(data, job, self._part)

    async def _idle(self, data: TenantData) -> Job | None:
        """Says when to look again, or begins the job of the night."""
        now = self._clock()
        await clean(data, self._clock)
        async with data.transaction() as session:
            schedule = await turns.schedule(session)
            turn = await turns.turn(session)
            night = None if turn is None else turn.night_time
            upcoming = schedule.next_time(data.tenant_id, now) if schedule.enabled else now + NEVER
            begun = night if night and night <= now and schedule.enabled else None
            later = upcoming if night is None or night <= now else night
            await turns.set_turn(session, Turn(later, later))
            if begun and await sales_span(session) is not None:
                await JobStore(session).add(_night_job(data.tenant_id, begun, now, schedule.spec))
            # The turn is held by now: a job accepted before is seen here, and one accepted later
            # sets the turn after this transaction.
            job = await JobStore(session).active()
            if job is not None:
                await turns.wake(session, now)
        return job


def _night_job(tenant_id: TenantId, night: datetime, now: datetime, spec: Spec) -> Job:
    name = uuid5(NIGHTS, f"{tenant_id}/{night.isoformat()}")
    return Job(
        id=uuid4(),
        request_id=name,
        spec=spec,
        origin=Origin.SCHEDULE,
        state=State.PENDING,
        progress=Progress(),
        create_time=now,
    )
