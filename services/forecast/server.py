"""Wires the parts of the forecast service."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from hemline.forecast.v1 import (
    attribute_service_pb2,
    attribute_service_pb2_grpc,
    cold_start_service_pb2,
    cold_start_service_pb2_grpc,
    explanation_service_pb2,
    explanation_service_pb2_grpc,
    forecast_service_pb2,
    forecast_service_pb2_grpc,
    job_service_pb2,
    job_service_pb2_grpc,
    override_service_pb2,
    override_service_pb2_grpc,
    plan_service_pb2,
    plan_service_pb2_grpc,
    sales_service_pb2,
    sales_service_pb2_grpc,
    stock_day_service_pb2,
    stock_day_service_pb2_grpc,
    trend_service_pb2,
    trend_service_pb2_grpc,
)

from services.chassis.cache import Cache
from services.chassis.clock import Clock, utc_now
from services.chassis.database import Database
from services.chassis.server import Opened, Served
from services.chassis.topology import Topology
from services.forecast.jobs.requests import Jobs
from services.forecast.jobs.runner import Runner
from services.forecast.jobs.steps import Steps
from services.forecast.settings import ForecastSettings
from services.forecast.shards.executor import Executor
from services.forecast.shards.ray_tasks import RayTasks
from services.forecast.shards.worker import Processes
from services.forecast.wire.importer import Importer
from services.forecast.wire.servicers.cold_start import ColdStartServicer
from services.forecast.wire.servicers.explanations import ExplanationServicer
from services.forecast.wire.servicers.facts import AttributeServicer, StockDayServicer
from services.forecast.wire.servicers.forecasts import ForecastServicer
from services.forecast.wire.servicers.jobs import JobServicer
from services.forecast.wire.servicers.overrides import OverrideServicer
from services.forecast.wire.servicers.plans import PlanServicer
from services.forecast.wire.servicers.sales import SalesServicer
from services.forecast.wire.servicers.trends import TrendServicer


@asynccontextmanager
async def parts(
    settings: ForecastSettings, _topology: Topology | None = None
) -> AsyncIterator[Opened]:
    """Opens the database and the cache, and yields what is served on them."""
    database = Database(
        settings.database_urls, settings.replica_urls, pool_size=settings.database_pool_size
    )
    cache = Cache(settings.redis_url)
    try:
        steps = Steps(utc_now, executor_of(settings), cache, uuid4())
        runner = Runner(database, settings.region, utc_now, steps, settings.shard_slots)
        async with working(runner):
            jobs = Jobs(database, utc_now, runner.wake)
            made = served(database, cache, utc_now, jobs)
            yield Opened(made, pulse=database.pulse(settings.region))
    finally:
        await cache.close()
        await database.close()


@asynccontextmanager
async def working(runner: Runner) -> AsyncIterator[None]:
    """Does jobs until left. Steps that are under way then are given back."""
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def executor_of(settings: ForecastSettings) -> Executor:
    return RayTasks(settings.ray_address) if settings.ray_address else Processes()


def served(database: Database, cache: Cache, clock: Clock, jobs: Jobs) -> Sequence[Served]:
    importer = Importer(database, clock)
    return (
        Served(
            sales_service_pb2.DESCRIPTOR.services_by_name["SalesService"],
            sales_service_pb2_grpc.add_SalesServiceServicer_to_server,
            SalesServicer(importer),
        ),
        Served(
            plan_service_pb2.DESCRIPTOR.services_by_name["PlanService"],
            plan_service_pb2_grpc.add_PlanServiceServicer_to_server,
            PlanServicer(database, clock, importer),
        ),
        Served(
            attribute_service_pb2.DESCRIPTOR.services_by_name["AttributeService"],
            attribute_service_pb2_grpc.add_AttributeServiceServicer_to_server,
            AttributeServicer(database, importer),
        ),
        Served(
            stock_day_service_pb2.DESCRIPTOR.services_by_name["StockDayService"],
            stock_day_service_pb2_grpc.add_StockDayServiceServicer_to_server,
            StockDayServicer(database, importer),
        ),
        Served(
            forecast_service_pb2.DESCRIPTOR.services_by_name["ForecastService"],
            forecast_service_pb2_grpc.add_ForecastServiceServicer_to_server,
            ForecastServicer(database, cache, jobs),
        ),
        Served(
            explanation_service_pb2.DESCRIPTOR.services_by_name["ExplanationService"],
            explanation_service_pb2_grpc.add_ExplanationServiceServicer_to_server,
            ExplanationServicer(database),
        ),
        Served(
            trend_service_pb2.DESCRIPTOR.services_by_name["TrendService"],
            trend_service_pb2_grpc.add_TrendServiceServicer_to_server,
            TrendServicer(database, cache),
        ),
        Served(
            cold_start_service_pb2.DESCRIPTOR.services_by_name["ColdStartService"],
            cold_start_service_pb2_grpc.add_ColdStartServiceServicer_to_server,
            ColdStartServicer(database, cache),
        ),
        Served(
            override_service_pb2.DESCRIPTOR.services_by_name["OverrideService"],
            override_service_pb2_grpc.add_OverrideServiceServicer_to_server,
            OverrideServicer(database, cache, clock),
        ),
        Served(
            job_service_pb2.DESCRIPTOR.services_by_name["JobService"],
            job_service_pb2_grpc.add_JobServiceServicer_to_server,
            JobServicer(jobs),
        ),
    )
