import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import psutil
import pytest

from deploy.local.postgres import Postgres
from services.chassis.clock import utc_now
from services.chassis.database import Database
from services.forecast.domain.jobs import LEASE, Job, Kind, Phase, Spec, State
from services.forecast.job import work
from services.forecast.jobs import reading
from services.forecast.jobs.end import clean
from services.forecast.jobs.steps import Computing
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.shards.compute import compute
from services.forecast.shards.data import Task
from services.forecast.stores.jobs import JobStore
from services.forecast.stores.shards import Part
from tests.store.forecast.jobs import accepted, found, now, step, steps_of, tenant_with_sales
from tests.store.forecast.support import FIRST_DAY, HOME, as_app
from tests.support.api import TOPOLOGY
from tests.support.servers import free_port

MORE_SALES = """
INSERT INTO sale_line
    (document, sku, occurrence, store, product, sale_date, units, unit_price_micros)
SELECT 'new ' || document, sku, occurrence, store, product, sale_date, 99, 1
FROM sale_line WHERE sale_date = %s
"""


class InThread:
    """Computes sooner than a process begins."""

    async def run(self, task: bytes) -> bytes:
        return await asyncio.to_thread(lambda: compute(Task.from_bytes(task)).to_bytes())


def later() -> datetime:
    """When every lease that was taken until now has run out."""
    return utc_now() + LEASE + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_SERIES", 10)


@contextmanager
def another_process(
    server: Postgres, data: TenantData, job: Job
) -> Iterator[subprocess.Popen[bytes]]:
    """The command that works on a job beside the service. Killed at the end, if it still runs."""
    own = {
        "HEMLINE_REGION": HOME,
        "HEMLINE_TOPOLOGY_FILE": str(TOPOLOGY),
        "HEMLINE_ADDRESS": "127.0.0.1:0",
        "HEMLINE_IDENTITY_ADDRESSES": "[]",
        "HEMLINE_DATABASE_URLS": json.dumps({HOME: server.app_url("forecast")}),
        "HEMLINE_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    command = [sys.executable, "-m", "services.forecast.job"]
    named = ["--tenant", str(data.tenant_id), "--job", str(job.id), "--shard", "0/1"]
    process = subprocess.Popen([*command, *named], env=os.environ | own, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def until_shards(data: TenantData, job: Job, count: int) -> None:
    async with asyncio.timeout(60):
        while (await now(data, job)).progress.done_shards < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_killed_job_resumes_and_ends_with_the_same_numbers(
    database: Database, server: Postgres
) -> None:
    data = await tenant_with_sales(database)
    undisturbed, killed = [], []
    for jobs, disturbed in ((undisturbed, False), (killed, True)):
        job = await accepted(data)
        steps = steps_of(InThread())
        assert await step(data, job, steps)  # Reads the history.
        if disturbed:
            with another_process(server, data, job) as process:
                await until_shards(data, job, 1)
                workers = psutil.Process(process.pid).children()
                process.send_signal(signal.SIGKILL)
                process.wait()
            gone, _ = psutil.wait_procs(workers, timeout=5)
            assert len(gone) == len(workers)  # A worker does not outlive its parent.
            left = await now(data, job)
            assert 1 <= left.progress.done_shards < left.progress.total_shards
            steps = steps_of(InThread(), later)
        assert await work(data, steps, job.id, Part()) is State.SUCCEEDED
        jobs.append(found(server, data, job))
    assert len(undisturbed[0]) > 48
    assert sum("horizon_p10_units" in str(row) for row in undisturbed[0]) == 1 + 2 + 12
    assert undisturbed == killed


async def test_sales_that_come_meanwhile_change_nothing(
    database: Database, server: Postgres
) -> None:
    data = await tenant_with_sales(database, products=4)
    results = []
    for meanwhile in (False, True):
        job = await accepted(data)
        steps = steps_of(InThread())
        await step(data, job, steps)
        if meanwhile:
            with as_app(server, data.tenant_id) as connection:
                added = connection.execute(MORE_SALES, (FIRST_DAY + timedelta(days=59),))
                assert added.rowcount > 0
        await work(data, steps, job.id, Part())
        results.append(found(server, data, job))
    assert results[0] == results[1]


async def test_a_step_whose_lease_ran_out_stores_nothing(
    database: Database, server: Postgres
) -> None:
    data = await tenant_with_sales(database, products=3, days=20)
    job = await accepted(data)
    slow, quick = steps_of(InThread()), steps_of(InThread(), later)
    await step(data, job, slow)
    taken = await slow.take(data, await now(data, job), Part())
    assert isinstance(taken, Computing)
    assert await work(data, quick, job.id, Part()) is State.SUCCEEDED
    before = found(server, data, job)
    await slow.do(data, taken)
    assert found(server, data, job) == before
    assert (await now(data, job)).state is State.SUCCEEDED


async def test_a_job_of_the_version_before_ends_without_sums(
    database: Database, server: Postgres
) -> None:
    data = await tenant_with_sales(database, products=6, days=20)
    job = await accepted(data)
    steps = steps_of(InThread())
    assert await step(data, job, steps)  # Reads the history.
    assert await step(data, job, steps)  # Computes a shard, as the version before would have.
    with as_app(server, data.tenant_id) as connection:
        assert connection.execute("UPDATE job_shard SET sums = NULL WHERE done").rowcount == 1
    assert await work(data, steps, job.id, Part()) is State.SUCCEEDED
    assert not any("horizon_p10_units" in str(row) for row in found(server, data, job))


async def test_parts_of_an_array_share_the_shards(database: Database, server: Postgres) -> None:
    data = await tenant_with_sales(database)
    job = await accepted(data)
    await step(data, job, steps_of(InThread()))
    shards = (await now(data, job)).progress.total_shards
    assert shards > 2
    ends = await asyncio.gather(
        *(work(data, steps_of(InThread()), job.id, Part(index, 3)) for index in range(3))
    )
    assert (await now(data, job)).state is State.SUCCEEDED
    assert set(ends) <= {State.RUNNING, State.SUCCEEDED}
    assert len({row[9] for row in found(server, data, job) if len(row) > 2}) == shards


async def test_a_reading_that_was_lost_is_begun_again(database: Database) -> None:
    data = await tenant_with_sales(database, products=2, days=10)
    job = await accepted(data)
    lost = steps_of(InThread())
    assert await lost.take(data, await now(data, job), Part()) is not None  # And never done.
    assert not await step(data, job, steps_of(InThread()))
    assert await step(data, job, steps_of(InThread(), later))
    assert (await now(data, job)).progress.phase is Phase.COMPUTING


async def test_what_is_cancelled_while_it_is_computed_stores_nothing(
    database: Database, server: Postgres
) -> None:
    data = await tenant_with_sales(database, products=3, days=20)
    job = await accepted(data)
    steps = steps_of(InThread())
    await step(data, job, steps)
    taken = await steps.take(data, await now(data, job), Part())
    assert taken is not None
    async with data.transaction() as session:
        assert await JobStore(session).cancel(job.id, utc_now())
    await steps.do(data, taken)
    await clean(data, utc_now)
    assert found(server, data, job) == []


async def test_a_backtest_has_a_shard_for_each_cutoff(database: Database) -> None:
    data = await tenant_with_sales(database)
    cutoffs = tuple(FIRST_DAY + timedelta(days=day) for day in (30, 45))
    job = await accepted(data, Spec(Kind.BACKTEST, "D", 7, "light", cutoffs))
    steps = steps_of(InThread())
    assert await work(data, steps, job.id, Part()) is State.SUCCEEDED
    scores = (await now(data, job)).scores
    whole = [score for score in scores if score.segment == "all"]
    assert [(score.cutoff_date, score.series) for score in whole] == [(c, 48) for c in cutoffs]
    for cutoff in cutoffs:  # Segments make up the whole.
        parts = [s for s in scores if s.cutoff_date == cutoff and s.segment != "all"]
        assert sum(score.series for score in parts) == 48


async def test_one_job_at_a_time(database: Database) -> None:
    data = await tenant_with_sales(database, products=1, days=2)
    job = await accepted(data)
    with pytest.raises(AssertionError):
        await accepted(data)
    assert await work(data, steps_of(InThread()), job.id, Part()) is State.SUCCEEDED
    assert isinstance((await accepted(data)).id, UUID)
