"""Tenants with sales of several shards, and what runs of theirs have found."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import numpy as np
import psycopg
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis.cache import Cache
from services.chassis.clock import Clock, utc_now
from services.chassis.database import Database
from services.chassis.tenancy import TenantId
from services.forecast.domain.imports import Batch
from services.forecast.domain.jobs import Job, Kind, Origin, Progress, Spec, State
from services.forecast.domain.sales import SalesLine
from services.forecast.imports import import_lines
from services.forecast.jobs.steps import Steps
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.shards.executor import Executor
from services.forecast.stores.jobs import JobStore
from services.forecast.stores.sales import SalesStore
from services.forecast.stores.shards import Part
from tests.store.forecast.support import FIRST_DAY, HOME, as_app, batch, line
from tests.support.servers import free_port

SPEC = Spec(Kind.FORECAST, "D", 7, "light")
FOUND = """
SELECT store, sku, product, horizon_mean_units, mean::text, p10::text, p50::text, p90::text, tier,
    shard, state, total_p10::text, total_p50::text, total_p90::text
FROM forecast_series WHERE run_id = %s ORDER BY store, sku
"""


def no_cache() -> Cache:
    return Cache(SecretStr(f"redis://127.0.0.1:{free_port()}/0"))


def steps_of(executor: Executor, clock: Clock = utc_now) -> Steps:
    return Steps(clock, executor, no_cache(), uuid4())


async def tenant_with_sales(database: Database, products: int = 12, days: int = 60) -> TenantData:
    """Two stores' Poisson sales, each product of two SKUs."""
    random = np.random.default_rng(3)
    lines = []
    for day in range(days):
        for sku in range(2 * products):
            for store in ("berlin", "paris"):
                units = int(random.poisson(1 + sku % 5))
                if units:
                    changed = {"store": store, "sku": f"S{sku}", "product": f"p{sku // 2}"}
                    date = FIRST_DAY + timedelta(days=day)
                    lines.append(line(len(lines) + 1, sale_date=date, units=units, **changed))
    data = TenantData(database, HOME, TenantId(uuid4()))

    async def arriving() -> AsyncIterator[Batch[SalesLine]]:
        yield batch(*lines)

    async with data.transaction() as session:
        await import_lines(uuid4(), arriving(), store=SalesStore(session), now=utc_now())
    return data


async def accepted(data: TenantData, spec: Spec = SPEC) -> Job:
    job = Job(uuid4(), uuid4(), spec, Origin.REQUEST, State.PENDING, Progress(), utc_now())
    async with data.transaction() as session:
        assert await JobStore(session).add(job)
    return job


async def now(data: TenantData, job: Job) -> Job:
    async with data.transaction() as session:
        return await JobStore(session).get(job.id)


async def step(data: TenantData, job: Job, steps: Steps) -> bool:
    """Takes up and does one step. False if there was none."""
    taken = await steps.take(data, await now(data, job), Part())
    if taken is not None:
        await steps.do(data, taken)
    return taken is not None


def found(server: Postgres, data: TenantData, job: Job) -> list[tuple[object, ...]]:
    """Everything that was stored of the run, digit by digit."""
    with as_app(server, data.tenant_id) as connection:
        rows = connection.execute(FOUND, (job.id,)).fetchall()
        kept = {"run_state": "run_id", "forecast_aggregate": "run_id", "job_score": "job_id"}
        for table, key in kept.items():
            rows += _rest(connection, table, key, job)
        return rows


def _rest(
    connection: psycopg.Connection, table: str, key: str, job: Job
) -> list[tuple[object, ...]]:
    query = f"SELECT to_jsonb(t) - '{key}' FROM {table} t WHERE {key} = %s ORDER BY 1"  # noqa: S608
    return [(str(row),) for row in connection.execute(query.encode(), (job.id,)).fetchall()]
