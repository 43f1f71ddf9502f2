from collections.abc import Iterator

import pytest

from deploy.local.postgres import Postgres
from tests.store.router.support import HOME, SIBLING, empty, router_postgres


@pytest.fixture(scope="session")
def both() -> Iterator[dict[str, Postgres]]:
    with router_postgres() as home, router_postgres() as sibling:
        yield {HOME: home, SIBLING: sibling}


@pytest.fixture
def servers(both: dict[str, Postgres]) -> dict[str, Postgres]:
    """The databases of the two regions of one jurisdiction, with empty logs."""
    for server in both.values():
        empty(server)
    return both
