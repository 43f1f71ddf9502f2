from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from tests.store.inventory.support import Retailer, inventory_postgres, open_database


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with inventory_postgres() as made:
        yield made


@pytest_asyncio.fixture(scope="session")
async def database(server: Postgres) -> AsyncIterator[Database]:
    opened = open_database(server)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def retailer(database: Database, server: Postgres) -> Retailer:
    """A tenant of its own for each test, with two stores and a style."""
    made = Retailer(database, server)
    await made.stock_up()
    return made
