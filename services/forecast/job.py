"""Computes shards of a job on another machine: `python -m services.forecast.job --help`.

It takes the same environment as the service, and shares nothing with it but the database. Any
number of these may work on a job beside the service, or in its place, if the service has no
shard slots: whoever takes a shard first computes it, and whoever stores the last ends the job.

In an AWS Batch array job, `--shard` may be left out: the child's index and the array's size come
from AWS_BATCH_JOB_ARRAY_INDEX and AWS_BATCH_JOB_ARRAY_SIZE.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs, settings
from services.chassis.cache import Cache
from services.chassis.clock import utc_now
from services.chassis.database import Database
from services.chassis.tenancy import TenantId
from services.forecast.domain.jobs import Job, State
from services.forecast.jobs.steps import Steps
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.server import executor_of
from services.forecast.settings import ForecastSettings
from services.forecast.stores.jobs import JobStore
from services.forecast.stores.shards import Part, ShardStore

INDEX, SIZE = "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Arguments:
    tenant_id: TenantId
    job_id: UUID
    part: Part


def parsed(words: Sequence[str], environment: Mapping[str, str]) -> Arguments:
    """Reads the command line. Ends the process where it makes no sense."""
    assert __doc__ is not None  # noqa: S101 - it stands above
    parser = argparse.ArgumentParser(prog="python -m services.forecast.job", description=__doc__)
    parser.add_argument("--tenant", required=True, type=UUID, help="the tenant's UUID")
    parser.add_argument("--job", required=True, type=UUID, help="the job's UUID")
    array = "/".join(environment.get(name, "") for name in (INDEX, SIZE))
    parser.add_argument(
        "--shard",
        default=array if INDEX in environment and SIZE in environment else "0/1",
        type=part_from,
        help="i/n: every n-th shard, from the i-th on, counted from 0; all of them, if left out",
    )
    found = parser.parse_args(words)
    return Arguments(TenantId(found.tenant), found.job, found.shard)


def part_from(text: str) -> Part:
    """Raises ArgumentTypeError unless ``text`` is i/n with 0 <= i < n."""
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise argparse.ArgumentTypeError("must be i/n with 0 <= i < n, such as 0/4")
    return Part(int(index), int(count))


async def work(data: TenantData, steps: Steps, job_id: UUID, part: Part) -> State:
    """Computes the shards of ``part`` until they are done or the job has ended.

    A shard that somebody else holds is waited for: it may be given up.

    Returns:
        The job's state then.

    Raises:
        JobNotFound: there is none.
    """
    while True:
        async with data.transaction() as session:
            job = await JobStore(session).get(job_id)
            waiting = await _waiting(session, job, part)
        if not waiting:
            return job.state
        step = await steps.take(data, job, part)
        if step is None:
            await asyncio.sleep(LOOK_SECONDS)
        else:
            await steps.do(data, step)


async def _waiting(session: AsyncSession, job: Job, part: Part) -> bool:
    """Whether there may be something to do."""
    if job.state.ended or job.progress.total_shards == 0:
        return not job.state.ended
    return await ShardStore(session).has_open(job.id, part)


async def run(arguments: Arguments, loaded: ForecastSettings) -> int:
    """Returns the process' exit code: 0 if all shards of the part are done."""
    database = Database(loaded.database_urls, pool_size=2)
    cache = Cache(loaded.redis_url)
    try:
        data = TenantData(database, loaded.region, arguments.tenant_id)
        steps = Steps(utc_now, executor_of(loaded), cache, uuid4())
        state = await work(data, steps, arguments.job_id, arguments.part)
    finally:
        await cache.close()
        await database.close()
    return 1 if state in (State.FAILED, State.CANCELLED) else 0


if __name__ == "__main__":
    read = parsed(sys.argv[1:], os.environ)
    configured = settings.load(ForecastSettings)
    logs.start("forecast-job", configured.region)
    sys.exit(asyncio.run(run(read, configured)))
