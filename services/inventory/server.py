"""Wires the parts of the inventory service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from hemline.inventory.v1 import (
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    inventory_service_pb2,
    inventory_service_pb2_grpc,
)

from services.chassis.clock import Clock, utc_now
from services.chassis.database import Database
from services.chassis.server import Opened, Served
from services.chassis.topology import Topology
from services.inventory.servicer import InventoryServicer
from services.inventory.servicer_catalog import CatalogServicer
from services.inventory.settings import InventorySettings


@asynccontextmanager
async def parts(
    settings: InventorySettings, _topology: Topology | None = None
) -> AsyncIterator[Opened]:
    """Opens the database and yields what is served on it."""
    database = Database(
        settings.database_urls, settings.replica_urls, pool_size=settings.database_pool_size
    )
    try:
        yield Opened(served(database, utc_now), pulse=database.pulse(settings.region))
    finally:
        await database.close()


def served(database: Database, clock: Clock) -> Sequence[Served]:
    return (
        Served(
            catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"],
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server,
            CatalogServicer(database, clock),
        ),
        Served(
            inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"],
            inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
            InventoryServicer(database, clock),
        ),
    )
