"""Wires the parts of the forecast service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from hemline.forecast.v1 import (
    attribute_service_pb2,
    attribute_service_pb2_grpc,
    forecast_service_pb2,
    forecast_service_pb2_grpc,
    plan_service_pb2,
    plan_service_pb2_grpc,
    sales_service_pb2,
    sales_service_pb2_grpc,
    stock_day_service_pb2,
    stock_day_service_pb2_grpc,
)

from services.chassis.cache import Cache
from services.chassis.clock import Clock, utc_now
from services.chassis.database import Database
from services.chassis.server import Opened, Served
from services.chassis.topology import Topology
from services.forecast.jobs import Jobs
from services.forecast.servicer import ForecastServicer
from services.forecast.servicer_facts import AttributeServicer, StockDayServicer
from services.forecast.servicer_imports import Importer
from services.forecast.servicer_plans import PlanServicer
from services.forecast.servicer_sales import SalesServicer
from services.forecast.settings import ForecastSettings


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
        yield Opened(served(database, cache, utc_now), pulse=database.pulse(settings.region))
    finally:
        await cache.close()
        await database.close()


def served(database: Database, cache: Cache, clock: Clock) -> Sequence[Served]:
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
            ForecastServicer(database, cache, Jobs(database, clock)),
        ),
    )
