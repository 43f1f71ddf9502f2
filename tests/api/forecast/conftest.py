from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis.cache import Cache
from services.chassis.database import Database
from tests.api.forecast.support import Breakable, Planner, working_api
from tests.store.forecast.support import forecast_postgres, open_database
from tests.support import servers
from tests.support.api import Api


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with forecast_postgres() as made:
        yield made


@pytest_asyncio.fixture(scope="session")
async def database(server: Postgres) -> AsyncIterator[Database]:
    opened = open_database(server)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with servers.redis() as url:
        yield url


@pytest.fixture(scope="session")
def executor() -> Breakable:
    return Breakable()


@pytest_asyncio.fixture(scope="session")
async def running(database: Database, redis_url: str, executor: Breakable) -> AsyncIterator[Api]:
    cache = Cache(SecretStr(redis_url))
    async with working_api(database, cache, executor) as started:
        yield started
    await cache.close()


@pytest.fixture
def planner(running: Api) -> Planner:
    """Someone of a tenant that has nothing yet."""
    return Planner(running, uuid4())
