"""Jobs of the forecast service from sales in PostgreSQL to forecasts in PostgreSQL, and reads.

    SIZES=3000,10000,30000,100000 EFFORT=middle WEEKS=156 python -m benchmarks.jobs

For each size: a tenant's weekly sales are loaded by COPY (not counted), then a job is created over
gRPC and waited for. Counted is the CPU time of the service with its workers, and of PostgreSQL.
`growth` is what a series costs at the largest size over what it costs at the smallest. Prints one
JSON object as its last line, of the size that is nearest to 30,000.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

from hemline.forecast.v1 import job_service_pb2 as pb
from hemline.forecast.v1 import job_service_pb2_grpc as pb_grpc
from pydantic import SecretStr

from benchmarks.jobs.meter import Meter, seconds
from benchmarks.jobs.reads import no_op, read_ratio, what_if_ms
from benchmarks.jobs.sales import load
from services.chassis.database import Database
from services.forecast.server import parts
from services.forecast.settings import ForecastSettings
from tests.store.forecast.support import HOME, forecast_postgres
from tests.support import servers
from tests.support.api import TOPOLOGY, Api, api

NAMED = 30_000
HORIZON_WEEKS = 8
EFFORTS = {
    "light": pb.FORECAST_EFFORT_LIGHT,
    "middle": pb.FORECAST_EFFORT_MIDDLE,
    "full": pb.FORECAST_EFFORT_FULL,
}


async def measure(sizes: list[int], effort: str, weeks: int, slots: int) -> dict[str, Any]:
    with forecast_postgres() as server, servers.redis() as redis_url:
        settings = ForecastSettings(
            region=HOME,
            topology_file=TOPOLOGY,
            address="127.0.0.1:0",
            identity_addresses=(),
            database_urls={HOME: SecretStr(server.app_url("forecast"))},
            redis_url=SecretStr(redis_url),
            shard_slots=slots,
        )
        curve, reads = [], {}
        async with parts(settings) as opened, api([*opened.served, no_op()]) as running:
            for size in sizes:
                tenant_id = uuid4()
                started = time.perf_counter()
                url = server.url("postgres", "forecast")
                lines = await asyncio.to_thread(load, url, tenant_id, size, weeks)
                said(f"{size:,} series: {lines:,} lines loaded in {seconds(started)} s")
                with Meter(server.port) as meter:
                    curve.append(await one_job(running, tenant_id, size, effort))
                curve[-1] |= costs(meter, size)
                said(json.dumps(curve[-1]))
                if size == nearest(sizes):
                    database = Database({HOME: settings.database_urls[HOME]}, traced=False)
                    reads = await what_if_ms(database, tenant_id)
                    await database.close()
                    reads |= await read_ratio(running, tenant_id)
                    said(json.dumps(reads))
    return summary(curve, reads, effort)


def nearest(sizes: list[int]) -> int:
    return min(sizes, key=lambda size: abs(size - NAMED))


async def one_job(running: Api, tenant_id: UUID, series: int, effort: str) -> dict[str, Any]:
    stub = pb_grpc.JobServiceStub(running.channel)
    metadata = running.as_tenant(tenant_id)
    spec = pb.JobSpec(
        kind=pb.JOB_KIND_FORECAST,
        period=pb.FORECAST_PERIOD_WEEK,
        horizon=HORIZON_WEEKS,
        effort=EFFORTS[effort],
    )
    started = time.perf_counter()
    request = pb.CreateJobRequest(spec=spec, request_id=str(uuid4()))
    job = (await stub.CreateJob(request, metadata=metadata)).job
    while job.state in (pb.JOB_STATE_PENDING, pb.JOB_STATE_RUNNING):
        # Not WatchJob: the largest job may take longer than a token of this test lives.
        await asyncio.sleep(1)
        asked = pb.GetJobRequest(name=job.name)
        job = (await stub.GetJob(asked, metadata=running.as_tenant(tenant_id))).job
        said(f"  {job.progress.message}", end="\r")
    if job.state != pb.JOB_STATE_SUCCEEDED:
        raise RuntimeError(f"the job ended as {job.state}: {job.error}")
    return {
        "series": series,
        "forecast_series": job.progress.series,
        "shards": job.progress.total_shards,
        "wall_s": seconds(started),
        "model": job.result.model,
        "held_back_coverage": round(job.result.scores[0].coverage, 3),
    }


def costs(meter: Meter, series: int) -> dict[str, float]:
    total = meter.cpu_s + meter.postgres_cpu_s
    return {
        "cpu_s": round(total, 1),
        "service_cpu_s": round(meter.cpu_s, 1),
        "postgres_cpu_s": round(meter.postgres_cpu_s, 1),
        "peak_mb": round(meter.peak_mb),
        "cpu_ms_per_series": round(total / series * 1e3, 3),
    }


def summary(curve: list[dict[str, Any]], reads: dict[str, float], effort: str) -> dict[str, Any]:
    named = next(
        one for one in curve if one["series"] == nearest([each["series"] for each in curve])
    )
    per_series = [each["cpu_ms_per_series"] for each in curve]
    return {
        "series": named["series"],
        "cpu_s": named["cpu_s"],
        "peak_mb": named["peak_mb"],
        "growth": round(per_series[-1] / per_series[0], 3),
        **reads,
        "effort": effort,
        "curve": curve,
    }


def said(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


def main() -> None:
    sizes = sorted(
        int(size) for size in os.environ.get("SIZES", "3000,10000,30000,100000").split(",")
    )
    effort = os.environ.get("EFFORT", "middle")
    weeks = int(os.environ.get("WEEKS", "156"))
    slots = int(os.environ.get("SLOTS", "2"))
    if effort not in EFFORTS:
        sys.exit(f"EFFORT={effort}: must be {', '.join(EFFORTS)}.")
    with redirect_stdout(StringIO()):  # The server's log lines.
        figures = asyncio.run(measure(sizes, effort, weeks, slots))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
