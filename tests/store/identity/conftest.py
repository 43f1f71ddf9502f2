from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from tests.store.identity.support import HOME, SIBLING, identity_postgres, open_database


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Postgres]]:
    """The databases of the two regions of one jurisdiction."""
    with identity_postgres() as home, identity_postgres() as sibling:
        yield {HOME: home, SIBLING: sibling}


@pytest_asyncio.fixture(scope="session")
async def database(servers: dict[str, Postgres]) -> AsyncIterator[Database]:
    opened = open_database(servers)
    yield opened
    await opened.close()
