from collections.abc import AsyncIterator

import pytest_asyncio

from services.inventory.server import parts
from services.inventory.settings import InventorySettings
from tests.api.inventory.client import Client
from tests.store.inventory.support import inventory_postgres
from tests.support.api import TOPOLOGY, Api, api


@pytest_asyncio.fixture(scope="session")
async def service() -> AsyncIterator[Api]:
    """The inventory service on loopback, wired as in production, over a real PostgreSQL."""
    with inventory_postgres() as server:
        settings = InventorySettings(
            region="eu-central-1",
            topology_file=TOPOLOGY,
            address="127.0.0.1:0",
            identity_addresses=(),
            database_urls={"eu-central-1": server.app_url("inventory")},
        )
        async with parts(settings) as opened, api(opened.served) as running:
            yield running


@pytest_asyncio.fixture
async def client(service: Api) -> Client:
    """Calls as somebody of a new tenant, with two stores and a style."""
    made = Client(service)
    await made.stock_up()
    return made
