from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from tests.store.forecast.support import forecast_postgres, open_database


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with forecast_postgres() as made:
        yield made


@pytest_asyncio.fixture(scope="session")
async def database(server: Postgres) -> AsyncIterator[Database]:
    opened = open_database(server)
    yield opened
    await opened.close()
