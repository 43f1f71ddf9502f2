from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.local.postgres import Postgres
from services.router import servicer_operations
from tests.api.router.operations.support import World, serving
from tests.store.router.support import HOME, SIBLING, empty, router_postgres


@pytest.fixture(scope="package")
def both() -> Iterator[dict[str, Postgres]]:
    with router_postgres() as home, router_postgres() as sibling:
        yield {HOME: home, SIBLING: sibling}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers look often, and a database that never answers is not waited for long."""
    monkeypatch.setattr(servicer_operations, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(servicer_operations, "FIRST_READ_SECONDS", 0.2)


@pytest_asyncio.fixture
async def world(both: dict[str, Postgres]) -> AsyncIterator[World]:
    for server in both.values():
        empty(server)
    async with serving(both) as made:
        made.report(eu_central_1=True, eu_west_1=True)
        yield made
