"""The ledger's promises, on PostgreSQL and in its own role."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from deploy.local.postgres import Postgres
from services.chassis.database import Database, RaceLost
from services.chassis.errors import RequestIdReused
from services.inventory.domain import (
    MOST_LEVEL_UNITS,
    InsufficientStock,
    LevelLimit,
    Reason,
    Sku,
    SkuNotFound,
    StoreId,
    StoreNotFound,
)
from tests.store.inventory.support import OSLO, SHIRT_L, SHIRT_M, TABLES, Retailer, movement


async def test_a_movement_leaves_its_level_behind(retailer: Retailer) -> None:
    assert (await retailer.move(5)).on_hand_units == 5
    assert (await retailer.move(-2)).on_hand_units == 3
    assert (await retailer.move(1, store=OSLO)).on_hand_units == 1
    assert await retailer.on_hand() == 3
    assert await retailer.on_hand(sku=SHIRT_L) == 0


async def test_a_retry_posts_once_and_returns_the_first_answer(retailer: Retailer) -> None:
    stated = movement(5)
    first = await retailer.record(stated)
    await retailer.move(3)
    assert await retailer.record(stated) == first
    assert await retailer.on_hand() == 8


@pytest.mark.parametrize(
    "other",
    [
        {"delta_units": 6},
        {"reason": Reason.RETURN},
        {"store": OSLO},
        {"sku": SHIRT_L},
        {"occur_nanos": 1},
        {"occur_nanos": 999},
    ],
)
async def test_another_movement_with_the_same_request_id_is_refused(
    retailer: Retailer, other: dict[str, object]
) -> None:
    stated = movement(5)
    await retailer.record(stated)
    with pytest.raises(RequestIdReused):
        await retailer.record(replace(stated, **other))  # type: ignore[arg-type]
    with pytest.raises(RequestIdReused):
        await retailer.record(
            replace(stated, occur_time=stated.occur_time + timedelta(microseconds=1))
        )
    assert await retailer.on_hand() == 5


async def test_unknown_stores_and_skus_are_named(retailer: Retailer) -> None:
    with pytest.raises(StoreNotFound):
        await retailer.move(1, store=StoreId("nowhere"))
    with pytest.raises(SkuNotFound):
        await retailer.move(1, sku=Sku("NOTHING"))
    assert retailer.sql("SELECT 1 FROM level") == []


async def test_a_level_never_falls_below_zero_nor_rises_above_its_limit(retailer: Retailer) -> None:
    await retailer.move(2)
    with pytest.raises(InsufficientStock):
        await retailer.move(-3)
    with pytest.raises(LevelLimit):
        await retailer.move(MOST_LEVEL_UNITS - 1)
    assert (await retailer.move(MOST_LEVEL_UNITS - 2)).on_hand_units == MOST_LEVEL_UNITS


async def test_a_refused_first_movement_leaves_no_level(retailer: Retailer) -> None:
    with pytest.raises(InsufficientStock):
        await retailer.move(-1)
    assert retailer.sql("SELECT 1 FROM level") == []


async def test_the_last_unit_is_sold_once(retailer: Retailer) -> None:
    for _ in range(10):
        await retailer.move(1)
        outcomes = await asyncio.gather(
            *(retailer.move(-1) for _ in range(3)), return_exceptions=True
        )
        assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, InsufficientStock) for outcome in outcomes) == 2
        assert await retailer.on_hand() == 0


async def test_retries_in_flight_together_post_once(retailer: Retailer) -> None:
    for _ in range(10):
        stated = movement(1)
        outcomes = await asyncio.gather(*(retailer.record(stated) for _ in range(4)))
        assert len(set(outcomes)) == 1
    assert await retailer.on_hand() == 10


async def test_one_request_id_on_two_levels_at_once_posts_one(retailer: Retailer) -> None:
    one = movement(1)
    two = replace(one, store=OSLO)
    outcomes = await asyncio.gather(
        *(retailer.record(stated) for stated in (one, two)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(refused) == 1
    assert isinstance(refused[0], RaceLost | RequestIdReused)
    assert await retailer.on_hand() + await retailer.on_hand(OSLO) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE movement SET delta_units = 1",
        "DELETE FROM movement",
        "TRUNCATE movement",
        "DELETE FROM level",
        "UPDATE level SET sku = 'X'",
        "DELETE FROM stock_import",
        "UPDATE stock_import SET lines = 0",
        "DELETE FROM sku",
        "UPDATE store SET time_zone = 'UTC'",
        "ALTER TABLE movement DISABLE ROW LEVEL SECURITY",
    ],
)
async def test_the_service_may_not_rewrite_history(retailer: Retailer, statement: str) -> None:
    await retailer.move(5)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        retailer.sql(statement)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE level SET on_hand_units = 6", "level_is_left_behind"),
        ("UPDATE level SET on_hand_units = -1", "level_within_limits"),
        ("UPDATE level SET last_sequence = 2", "level_is_left_behind"),
        (
            "INSERT INTO level (store, sku, update_time) VALUES ('oslo', 'SHIRT-RED-M', now())",
            "level_is_left_behind",
        ),
    ],
)
async def test_a_level_is_what_a_movement_left_behind(
    retailer: Retailer, statement: str, constraint: str
) -> None:
    await retailer.move(5)
    with pytest.raises(psycopg.IntegrityError, match=constraint):
        retailer.sql(statement)


@pytest.mark.parametrize(
    ("sequence", "before", "delta", "after", "constraint"),
    [
        (2, 5, 1, 7, "movement_adds_up"),
        (2, 4, 1, 5, "movement_follows"),
        (3, 5, 1, 6, "movement_follows"),
        (1, 0, 1, 1, "movement_sequence"),
        (1, 5, 1, 6, "movement_from_nothing"),
        (0, 0, 1, 1, "movement_counted"),
        (2, 5, 0, 5, "movement_moves"),
        (2, 5, -6, -1, "movement_within_limits"),
    ],
)
async def test_movements_add_up_one_after_the_other(
    retailer: Retailer, sequence: int, before: int, delta: int, after: int, constraint: str
) -> None:
    await retailer.move(5)
    with pytest.raises(psycopg.IntegrityError, match=constraint):
        retailer.sql(
            """INSERT INTO movement (store, sku, sequence, before_units, delta_units,
                 on_hand_units, reason, occur_time, occur_nanos, record_time)
               VALUES ('berlin', 'SHIRT-RED-M', %s, %s, %s, %s, 'sale', now(), 0, now())""",
            *(sequence, before, delta, after),
        )


async def test_row_level_security_hides_other_tenants(
    retailer: Retailer, database: Database, server: Postgres
) -> None:
    await retailer.move(5)
    await retailer.count(request_id=uuid4())
    other = Retailer(database, server)
    for table in TABLES:
        assert retailer.sql(f"TABLE {table}"), table
        assert not other.sql(f"TABLE {table}"), table
    assert await other.on_hand() == 0
    with pytest.raises(StoreNotFound):
        await other.move(1)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        other.sql(
            "INSERT INTO store (tenant_id, store, display_name, time_zone, create_time) "
            "VALUES (%s, 'x', '', 'UTC', now())",
            retailer.caller.tenant_id,
        )


async def test_two_tenants_may_use_the_same_names_and_request_ids(
    retailer: Retailer, database: Database, server: Postgres
) -> None:
    other = Retailer(database, server)
    await other.stock_up()
    stated = movement(5)
    await retailer.record(stated)
    assert (await other.record(replace(stated, delta_units=7))).on_hand_units == 7
    assert await retailer.on_hand(sku=SHIRT_M) == 5


async def test_even_the_owner_of_the_tables_sees_one_tenant(retailer: Retailer) -> None:
    await retailer.move(5)
    own = retailer.sql("SELECT DISTINCT tenant_id FROM movement", role="inventory_owner")
    assert own == [(retailer.caller.tenant_id,)]
