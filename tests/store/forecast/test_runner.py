import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from services.chassis.clock import Clock, utc_now
from services.chassis.database import Database
from services.forecast.domain.jobs import Job, Origin, Schedule, State
from services.forecast.jobs.runner import Runner
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.stores import turns
from services.forecast.stores.jobs import JobStore
from services.forecast.stores.turns import Turn
from tests.store.forecast.jobs import accepted, now, steps_of, tenant_with_sales
from tests.store.forecast.support import HOME
from tests.store.forecast.test_job_resume import InThread


def runner_of(database: Database, clock: Clock) -> Runner:
    return Runner(database, HOME, clock, steps_of(InThread(), clock), slots=1)


async def jobs_of(data: TenantData) -> list[Job]:
    async with data.transaction() as session:
        return await JobStore(session).newest(None, 10)


async def runs_until(runner: Runner, data: TenantData, holds: Callable[[list[Job]], bool]) -> None:
    task = asyncio.create_task(runner.run())
    try:
        async with asyncio.timeout(60):
            while not holds(await jobs_of(data)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def turn_of(data: TenantData) -> Turn | None:
    async with data.transaction() as session:
        return await turns.turn(session)


async def looked_at(runner: Runner, data: TenantData) -> Turn:
    """Runs until the runner has said when the tenant's night begins."""
    task = asyncio.create_task(runner.run())
    try:
        async with asyncio.timeout(60):
            while (turn := await turn_of(data)) is None or turn.night_time is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return turn
    finally:
        task.cancel()
        await asyncio.wait([task])


def shifted(to: datetime) -> Clock:
    by = to - utc_now()
    return lambda: utc_now() + by


async def test_the_night_begins_a_job_once_and_sets_the_next(database: Database) -> None:
    data = await tenant_with_sales(database, products=1, days=5)
    turn = await looked_at(runner_of(database, utc_now), data)
    night = Schedule().next_time(data.tenant_id, utc_now())
    assert turn == Turn(night, night)
    assert await jobs_of(data) == []
    at_night = runner_of(database, shifted(night))
    await runs_until(at_night, data, lambda jobs: bool(jobs) and jobs[0].state.ended)
    (job,) = await jobs_of(data)
    assert (job.origin, job.state) == (Origin.SCHEDULE, State.SUCCEEDED)
    await looked_at(runner_of(database, shifted(night + timedelta(minutes=5))), data)
    assert len(await jobs_of(data)) == 1
    following = await turn_of(data)
    assert following is not None
    assert following.night_time == night + timedelta(days=1)


async def test_no_night_begins_where_it_is_switched_off(database: Database) -> None:
    data = await tenant_with_sales(database, products=1, days=5)
    async with data.transaction() as session:
        await turns.set_schedule(session, Schedule(enabled=False))
    far = await looked_at(runner_of(database, utc_now), data)
    assert far.wake_time > utc_now() + timedelta(days=300)


async def test_the_night_of_a_tenant_without_sales_begins_nothing(database: Database) -> None:
    data = await tenant_with_sales(database, products=1, days=0)
    night = (await looked_at(runner_of(database, utc_now), data)).wake_time
    runner = asyncio.create_task(runner_of(database, shifted(night)).run())
    async with asyncio.timeout(60):
        while (turn := await turn_of(data)) is None or turn.wake_time == night:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    runner.cancel()
    await asyncio.wait([runner])
    assert await jobs_of(data) == []


async def test_a_process_that_ends_gives_back_what_it_was_doing(database: Database) -> None:
    data = await tenant_with_sales(database, products=1, days=5)
    job = await accepted(data)
    async with data.transaction() as session:
        await turns.wake(session, utc_now())

    class Stuck:
        async def run(self, task: bytes) -> bytes:
            started.set()
            await asyncio.Event().wait()
            return task

    started = asyncio.Event()
    runner = Runner(database, HOME, utc_now, steps_of(Stuck()), slots=1)
    task = asyncio.create_task(runner.run())
    async with asyncio.timeout(60):
        await started.wait()
    task.cancel()
    await asyncio.wait([task])
    # No lease is waited for.
    await runs_until(runner_of(database, utc_now), data, lambda jobs: jobs[0].state.ended)
    assert (await now(data, job)).state is State.SUCCEEDED
