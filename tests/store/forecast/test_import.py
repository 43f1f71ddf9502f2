import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from services.chassis.errors import RequestIdReused
from services.chassis.imports import ImportRejected
from services.forecast.domain.imports import Batch, Imported
from services.forecast.domain.sales import SalesLine
from services.forecast.imports import import_lines
from services.forecast.stores.sales import SalesStore
from tests.store.forecast.support import HOME, as_app, batch, line

NOW = datetime(2026, 6, 1, tzinfo=UTC)
COUNT = "SELECT count(*), coalesce(sum(units), 0) FROM sale_line"


class Shop:
    """A tenant, and what it has imported."""

    def __init__(self, database: Database, server: Postgres) -> None:
        self.tenant_id = uuid4()
        self._database = database
        self._server = server

    async def imports(self, *batches: Batch[SalesLine], request_id: UUID | None = None) -> Imported:
        async def arriving() -> AsyncIterator[Batch[SalesLine]]:
            for each in batches:
                yield each

        async with self._database.transaction_of(HOME, self.tenant_id) as session:
            store = SalesStore(session)
            return await import_lines(request_id or uuid4(), arriving(), store=store, now=NOW)

    def stored(self) -> tuple[int, int]:
        """Lines and units, as the service's role sees them."""
        with as_app(self._server, self.tenant_id) as connection:
            lines, units = connection.execute(COUNT).fetchone() or (0, 0)
        return int(lines), int(units)


@pytest.fixture
def shop(database: Database, server: Postgres) -> Shop:
    return Shop(database, server)


async def test_an_import_interrupted_between_messages_leaves_nothing(shop: Shop) -> None:
    async def broken() -> AsyncIterator[Batch[SalesLine]]:
        yield batch(*map(line, range(1, 500)))
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with shop._database.transaction_of(HOME, shop.tenant_id) as session:
            await import_lines(uuid4(), broken(), store=SalesStore(session), now=NOW)
    assert shop.stored() == (0, 0)


async def test_a_contradiction_in_the_last_line_keeps_all_others_out(shop: Shop) -> None:
    await shop.imports(batch(line(1)))
    with pytest.raises(ImportRejected) as caught:
        await shop.imports(batch(line(2), line(3)), batch(line(4), line(1, units=7)))
    assert [each.field for each in caught.value.violations] == ["lines[1].units"]
    assert shop.stored() == (1, 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda old: old._replace(store="rome"), "store"),
        (lambda old: old._replace(product="shirt/red"), "product"),
        (lambda old: old._replace(sale_date=old.sale_date + timedelta(days=1)), "sale_date"),
        (lambda old: old._replace(units=-1), "units"),
        (lambda old: old._replace(unit_price_micros=0), "unit_price_micros"),
    ],
)
async def test_a_contradiction_names_the_field_that_differs(
    shop: Shop, change: Callable[[SalesLine], SalesLine], field: str
) -> None:
    await shop.imports(batch(line(1)))
    with pytest.raises(ImportRejected) as caught:
        await shop.imports(batch(change(line(1))))
    assert [each.field for each in caught.value.violations] == [f"lines[1].{field}"]


async def test_the_same_lines_at_the_same_time_are_added_once(shop: Shop) -> None:
    lines = [line(row) for row in range(1, 300)]
    answers = await asyncio.gather(*(shop.imports(batch(*lines)) for _ in range(4)))
    assert sorted(answer.new_lines for answer in answers) == [0, 0, 0, 299]
    assert shop.stored() == (299, 299)


async def test_the_same_request_at_the_same_time_gets_one_answer(shop: Shop) -> None:
    name = uuid4()
    calls = (shop.imports(batch(line(1), line(2)), request_id=name) for _ in range(3))
    assert set(await asyncio.gather(*calls)) == {Imported(2, 2)}
    with pytest.raises(RequestIdReused):
        await shop.imports(batch(line(1)), request_id=name)


async def test_a_rejected_request_id_may_be_used_again(shop: Shop) -> None:
    await shop.imports(batch(line(1)))
    name = uuid4()
    with pytest.raises(ImportRejected):
        await shop.imports(batch(line(1, units=2)), request_id=name)
    assert await shop.imports(batch(line(2)), request_id=name) == Imported(1, 1)


async def test_places_in_a_document_follow_the_order_of_the_file(shop: Shop) -> None:
    first, second = line(1, document="R", units=1), line(2, document="R", units=2)
    await shop.imports(batch(first), batch(second))
    with pytest.raises(ImportRejected) as caught:
        await shop.imports(batch(second, first))
    assert len(caught.value.violations) == 2
    assert caught.value.metadata == {"rejected_lines": "2"}


async def test_other_tenants_may_have_the_same_documents(
    shop: Shop, database: Database, server: Postgres
) -> None:
    await shop.imports(batch(line(1)))
    other = Shop(database, server)
    assert other.stored() == (0, 0)
    assert await other.imports(batch(line(1, units=9))) == Imported(1, 1)
    assert (shop.stored(), other.stored()) == ((1, 1), (1, 9))


async def test_without_a_tenant_nothing_is_seen_and_nothing_can_be_added(
    shop: Shop, server: Postgres
) -> None:
    await shop.imports(batch(line(1)))
    with as_app(server, None) as connection:
        assert connection.execute(COUNT).fetchone() == (0, 0)
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        as_app(server, uuid4()) as connection,
    ):
        connection.execute(
            "INSERT INTO sale_line VALUES (%s, 'd', 'S', 1, 's', 'p', '2026-01-01', 1, 1)",
            (shop.tenant_id,),
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sale_line SET units = 2",
        "DELETE FROM sale_line",
        "TRUNCATE sale_line",
        "UPDATE sales_import SET lines = 2",
        "DELETE FROM sales_import",
        "UPDATE forecast_run SET wape = 0",
        "DELETE FROM forecast_run",
        "UPDATE forecast SET product = ''",
        "UPDATE trend SET rank = 1",
    ],
)
async def test_the_service_may_not_rewrite_history(
    shop: Shop, server: Postgres, statement: str
) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        as_app(server, shop.tenant_id) as connection,
    ):
        connection.execute(statement.encode())
