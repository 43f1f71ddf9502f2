import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from services.chassis.errors import RequestIdReused
from services.chassis.imports import ImportRejected
from services.forecast.domain.facts import AttributeValue, StockDay
from services.forecast.domain.imports import Batch, Imported
from services.forecast.domain.plans import CalendarLine, Promotion, PromotionLine
from services.forecast.imports import import_lines
from services.forecast.postgres.import_sql import (
    ATTRIBUTES,
    CALENDAR,
    PROMOTIONS,
    STOCK_DAYS,
    Target,
)
from services.forecast.stores.lines import KeyedStore
from services.forecast.stores.plans import plan_between
from tests.store.forecast.support import HOME, as_app

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Planner:
    """A tenant, and what it has planned."""

    def __init__(self, database: Database, server: Postgres) -> None:
        self.tenant_id = uuid4()
        self.server = server
        self._database = database

    async def imports(
        self,
        target: Target,
        *lines: Any,
        known_time: datetime | None = None,
        request_id: UUID | None = None,
        now: datetime = NOW,
    ) -> tuple[int, int, int]:
        """Returns how many lines were new, changed and known."""

        async def arriving() -> AsyncIterator[Batch[Any]]:
            for line in lines:
                yield Batch(uuid4(), (line,), (), 0)

        async with self._database.transaction_of(HOME, self.tenant_id) as session:
            store = KeyedStore(session, target, now=now, known_time=known_time)
            done: Imported = await import_lines(
                request_id or uuid4(), arriving(), store=store, now=now
            )
        return done.new_lines, done.changed_lines, done.known_lines

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self._database.transaction_of(HOME, self.tenant_id)

    async def promotions(self, as_of: datetime = NOW) -> list[Promotion]:
        async with self._database.transaction_of(HOME, self.tenant_id) as session:
            plan = await plan_between(session, as_of, date(2000, 1, 1), date(2100, 1, 1))
        return plan.promotions

    def rows(self, table: str) -> int:
        with as_app(self.server, self.tenant_id) as connection:
            return count(connection, table)


def count(connection: psycopg.Connection, table: str) -> int:
    statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    found = connection.execute(statement).fetchone()
    return int(found[0]) if found else 0


@pytest.fixture
def planner(database: Database, server: Postgres) -> Planner:
    return Planner(database, server)


def promotion(row: int = 1, **changed: Any) -> PromotionLine:
    good = PromotionLine(
        row=row,
        promotion="spring \\ sale",
        store="-",
        scope="style",
        target="shirt",
        start_date=date(2026, 7, 1),
        end_date=date(2026, 7, 14),
        kind="markdown",
        discount_share=0.3,
        price_micros=None,
        cancelled=False,
    )
    return good._replace(**changed)


def event(row: int = 1, **changed: Any) -> CalendarLine:
    good = CalendarLine(
        row, "fair", "berlin", date(2026, 7, 1), date(2026, 7, 2), closed=False, cancelled=False
    )
    return good._replace(**changed)


def stocked(row: int = 1, units: int = 3, **changed: Any) -> StockDay:
    return StockDay(row, "berlin", "SHIRT-M", date(2026, 5, 1), units)._replace(**changed)


def styled(row: int = 1, value: str = "shirt", **changed: Any) -> AttributeValue:
    return AttributeValue(row, "sku", "SHIRT-M", "style", value)._replace(**changed)


@pytest.mark.parametrize(
    ("target", "line", "other"),
    [
        (PROMOTIONS, promotion(), promotion(discount_share=0.4)),
        (PROMOTIONS, promotion(), promotion(discount_share=0.0, price_micros=0)),
        (CALENDAR, event(), event(closed=True)),
        (ATTRIBUTES, styled(), styled(value="coat")),
        (STOCK_DAYS, stocked(), stocked(units=0)),
    ],
)
async def test_a_line_is_new_then_known_then_changed(
    planner: Planner, target: Target, line: Any, other: Any
) -> None:
    assert await planner.imports(target, line) == (1, 0, 0)
    assert await planner.imports(target, line, now=NOW + DAY) == (0, 0, 1)
    assert await planner.imports(target, other, now=NOW + 2 * DAY) == (0, 1, 0)
    assert planner.rows(target.table) == (2 if target.versioned else 1)
    assert planner.rows("data_import") == 3


async def test_what_is_planned_is_read_as_it_was_known(planner: Planner) -> None:
    await planner.imports(PROMOTIONS, promotion(), known_time=NOW - 20 * DAY)
    await planner.imports(PROMOTIONS, promotion(discount_share=0.5), known_time=NOW - 10 * DAY)
    await planner.imports(PROMOTIONS, promotion(cancelled=True), known_time=NOW - 5 * DAY)
    seen = [
        [each.discount_share for each in await planner.promotions(NOW - days * DAY)]
        for days in (21, 20, 11, 10, 6, 5, 0)
    ]
    assert seen == [[], [0.3], [0.3], [0.5], [0.5], [], []]


async def test_a_promotion_that_was_moved_away_is_not_planned_any_more(planner: Planner) -> None:
    july, august = date(2026, 7, 1), date(2026, 8, 1)
    await planner.imports(PROMOTIONS, promotion(), known_time=NOW - DAY)
    moved = promotion(start_date=august, end_date=august)
    await planner.imports(PROMOTIONS, moved, known_time=NOW)
    for moment, first, found in ((NOW - DAY, july, 1), (NOW, july, 0), (NOW, august, 1)):
        async with planner.transaction() as session:
            plan = await plan_between(session, moment, first, first + 14 * DAY)
        assert len(plan.promotions) == found


async def test_a_plan_of_the_past_goes_between_what_is_known(planner: Planner) -> None:
    await planner.imports(PROMOTIONS, promotion(), known_time=NOW - 20 * DAY)
    await planner.imports(PROMOTIONS, promotion(discount_share=0.5), known_time=NOW)
    between = NOW - 10 * DAY
    assert await planner.imports(PROMOTIONS, promotion(), known_time=between) == (0, 0, 1)
    changed = promotion(discount_share=0.4)
    assert await planner.imports(PROMOTIONS, changed, known_time=between) == (0, 1, 0)
    assert [each.discount_share for each in await planner.promotions()] == [0.5]
    assert [each.discount_share for each in await planner.promotions(NOW - DAY)] == [0.4]


async def test_two_plans_of_one_moment_contradict_each_other(planner: Planner) -> None:
    await planner.imports(PROMOTIONS, promotion(), known_time=NOW)
    with pytest.raises(ImportRejected) as caught:
        await planner.imports(PROMOTIONS, promotion(9, kind="display"), known_time=NOW)
    assert [each.field for each in caught.value.violations] == ["lines[9].kind"]


async def test_only_what_is_known_can_be_called_off(planner: Planner) -> None:
    await planner.imports(PROMOTIONS, promotion(), known_time=NOW - DAY)
    unknown = promotion(4, promotion="autumn", cancelled=True)
    for line, known_time in ((unknown, NOW), (promotion(4, cancelled=True), NOW - 2 * DAY)):
        with pytest.raises(ImportRejected) as caught:
            await planner.imports(PROMOTIONS, line, known_time=known_time)
        assert [each.field for each in caught.value.violations] == ["lines[4].cancelled"]
    assert planner.rows("promotion") == 1


@pytest.mark.parametrize(
    ("target", "lines", "field"),
    [
        (PROMOTIONS, [promotion(), promotion(2, end_date=date(2026, 7, 3))], "end_date"),
        (CALENDAR, [event(), event(2, closed=True)], "closed"),
        (ATTRIBUTES, [styled(), styled(2, value="coat")], "value"),
        (STOCK_DAYS, [stocked(), stocked(2, units=4)], "on_hand_units"),
    ],
)
async def test_lines_of_one_import_must_agree(
    planner: Planner, target: Target, lines: list[Any], field: str
) -> None:
    with pytest.raises(ImportRejected) as caught:
        await planner.imports(target, *lines)
    assert [each.field for each in caught.value.violations] == [f"lines[2].{field}"]
    assert caught.value.metadata == {"rejected_lines": "1"}
    assert planner.rows(target.table) == 0
    # Saying the same twice is no contradiction.
    assert await planner.imports(target, lines[0], lines[0]) == (1, 0, 1)


async def test_a_retry_gets_the_first_answer_and_another_import_none(planner: Planner) -> None:
    name = uuid4()
    assert await planner.imports(STOCK_DAYS, stocked(), request_id=name) == (1, 0, 0)
    later = NOW + DAY
    assert await planner.imports(STOCK_DAYS, stocked(), request_id=name, now=later) == (1, 0, 0)
    with pytest.raises(RequestIdReused):
        await planner.imports(STOCK_DAYS, stocked(units=9), request_id=name)
    with pytest.raises(RequestIdReused):
        await planner.imports(ATTRIBUTES, styled(), request_id=name)


async def test_a_request_id_belongs_to_the_moment_that_was_said(planner: Planner) -> None:
    name = uuid4()
    await planner.imports(PROMOTIONS, promotion(), request_id=name, known_time=NOW - DAY)
    with pytest.raises(RequestIdReused):
        await planner.imports(PROMOTIONS, promotion(), request_id=name, known_time=NOW)


async def test_the_same_lines_at_the_same_time_are_added_once(planner: Planner) -> None:
    lines = [stocked(row, sku=f"SKU-{row}") for row in range(1, 50)]
    done = await asyncio.gather(*(planner.imports(STOCK_DAYS, *lines) for _ in range(4)))
    assert sorted(done) == [(0, 0, 49)] * 3 + [(49, 0, 0)]


@pytest.mark.parametrize(
    ("target", "line"),
    [(PROMOTIONS, promotion()), (CALENDAR, event()), (ATTRIBUTES, styled()),
     (STOCK_DAYS, stocked())],
)  # fmt: skip
async def test_tenants_do_not_see_or_disturb_each_other(
    planner: Planner, database: Database, server: Postgres, target: Target, line: Any
) -> None:
    await planner.imports(target, line)
    other = Planner(database, server)
    assert other.rows(target.table) == other.rows("data_import") == 0
    assert await other.imports(target, line) == (1, 0, 0)
    with as_app(server, None) as connection:
        assert count(connection, target.table) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE promotion SET discount_share = 0",
        "DELETE FROM promotion",
        "UPDATE calendar_event SET closed = true",
        "DELETE FROM calendar_event",
        "UPDATE attribute SET code = 'X'",
        "DELETE FROM attribute",
        "UPDATE stock_day SET stock_date = '2026-01-01'",
        "DELETE FROM stock_day",
        "UPDATE data_import SET lines = 2",
        "DELETE FROM data_import",
    ],
)
async def test_the_service_may_not_rewrite_what_is_known(planner: Planner, statement: str) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        as_app(planner.server, planner.tenant_id) as connection,
    ):
        connection.execute(statement.encode())
