"""Imports of counted levels: all lines or none, and nothing the second time."""

import asyncio
from datetime import datetime
from uuid import uuid4

import pytest

from services.chassis.database import Database, RaceLost
from services.chassis.errors import RequestIdReused
from services.chassis.imports import ImportRejected
from services.inventory.domain import Sku
from services.inventory.domain_catalog import MOST_CHOICES, MOST_SIZES, Choice, Size, Style
from services.inventory.domain_imports import Line, Outcome
from services.inventory.store_imports import ImportStore
from tests.store.inventory.support import OSLO, SHIRT_L, SHIRT_M, TABLES, Retailer, line

NEW = {"sku": "COAT-BLACK-S", "style": "coat", "colour": "black", "size": "S"}
BLUE_COAT = Style("coat", "Coat", "", (Choice("blue", (Size("S", Sku(NEW["sku"])),)),))


async def rejections(retailer: Retailer, *lines: Line) -> dict[str, str]:
    """The violations by field, having checked that nothing changed."""
    before = contents(retailer)
    with pytest.raises(ImportRejected) as rejected:
        await retailer.count(*lines)
    assert contents(retailer) == before
    return {found.field: found.description for found in rejected.value.violations}


def contents(retailer: Retailer) -> list[list[tuple[object, ...]]]:
    return [sorted(retailer.sql(f"TABLE {table}"), key=repr) for table in TABLES]


async def test_levels_become_what_was_counted(retailer: Retailer) -> None:
    await retailer.move(5)
    await retailer.move(5, sku=SHIRT_L)
    outcome = await retailer.count(line(2, 3), line(3, 5, sku=SHIRT_L), line(4, 7, store="oslo"))
    assert outcome == Outcome(lines=3, movements=2, new_skus=0, new_stores=0)
    assert await retailer.on_hand() == 3
    assert await retailer.on_hand(sku=SHIRT_L) == 5
    assert await retailer.on_hand(OSLO) == 7
    counts = retailer.sql("SELECT delta_units FROM movement WHERE reason = 'count' ORDER BY 1")
    assert counts == [(-2,), (7,)]


async def test_a_level_can_be_counted_down_to_nothing(retailer: Retailer) -> None:
    await retailer.move(5)
    assert (await retailer.count(line(2, 0), line(3, 0, store="oslo"))).movements == 1
    assert await retailer.on_hand() == 0
    assert retailer.sql("SELECT store FROM level") == [("berlin",)]


async def test_the_same_file_twice_changes_nothing_the_second_time(retailer: Retailer) -> None:
    lines = (line(2, 3), line(3, 4, **NEW))
    await retailer.count(*lines)
    before = contents(retailer)[:-1]
    assert await retailer.count(*lines) == Outcome(2, movements=0, new_skus=0, new_stores=0)
    assert contents(retailer)[:-1] == before


async def test_a_retry_returns_the_first_answer_and_moves_nothing(retailer: Retailer) -> None:
    request_id = uuid4()
    lines = (line(2, 3), line(3, 4, **NEW))
    first = await retailer.count(*lines, request_id=request_id)
    await retailer.move(2)
    assert await retailer.count(*lines, request_id=request_id) == first
    assert await retailer.on_hand() == 5


async def test_other_lines_with_the_same_request_id_are_refused(retailer: Retailer) -> None:
    request_id = uuid4()
    await retailer.count(line(2, 3), line(3, 4, store="oslo"), request_id=request_id)
    for lines in ([line(2, 3)], [line(2, 3), line(3, 5, store="oslo")]):
        with pytest.raises(RequestIdReused):
            await retailer.count(*lines, request_id=request_id)
    assert await retailer.on_hand(OSLO) == 4


async def test_new_stores_and_skus_are_made_in_the_order_of_the_file(retailer: Retailer) -> None:
    outcome = await retailer.count(
        line(2, 1, **NEW, category="coats"),
        line(3, 1, **NEW | {"sku": "COAT-BLACK-XS", "size": "XS"}, store="riga"),
        line(4, 0, **NEW | {"sku": "COAT-AMBER-S", "colour": "amber"}),
        line(5, 2, sku="SHIRT-RED-S", style="shirt", colour="red", size="S"),
        line(6, 2, store="riga", **NEW),
    )
    assert outcome == Outcome(lines=5, movements=4, new_skus=4, new_stores=1)
    assert retailer.sql("SELECT style, category FROM style ORDER BY 1") == [
        ("coat", "coats"),
        ("shirt", "shirts"),
    ]
    placed = "SELECT {0}, position FROM {1} WHERE style = '{2}' ORDER BY style, position, 1"
    assert retailer.sql(placed.format("colour", "choice", "coat")) == [("black", 0), ("amber", 1)]
    assert retailer.sql(placed.format("size", "sku", "shirt")) == [("M", 0), ("L", 1), ("S", 2)]


async def test_a_pair_counted_twice_names_both_rows(retailer: Retailer) -> None:
    found = await rejections(
        retailer, line(2, 3), line(7, 3, store="oslo"), line(9, 3), line(11, 4)
    )
    assert set(found) == {"lines[9].sku", "lines[11].sku"}
    assert "row 2" in found["lines[9].sku"]


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ([{"sku": "COAT"}], {"lines[2].style"}),
        ([NEW | {"colour": ""}], {"lines[2].colour"}),
        ([NEW | {"size": ""}], {"lines[2].size"}),
        ([{"style": "coat"}], {"lines[2].style"}),
        ([{"colour": "blue"}], {"lines[2].colour"}),
        ([{"style": "shirt", "size": "L"}], {"lines[2].size"}),
        ([NEW | {"style": "shirt", "colour": "red", "size": "M"}], {"lines[2].size"}),
        ([NEW, NEW | {"sku": "COAT-2"}], {"lines[3].size"}),
        ([NEW, NEW | {"store": "oslo", "size": "M"}], {"lines[3].sku"}),
        ([NEW, {"sku": "COAT"}, {"sku": "CAP"}], {"lines[3].style", "lines[4].style"}),
    ],
)
async def test_lines_that_contradict_the_catalogue_or_each_other_are_refused(
    retailer: Retailer, wrong: list[dict[str, str]], fields: set[str]
) -> None:
    lines = [line(row, 1, **changed) for row, changed in enumerate(wrong, start=2)]
    assert set(await rejections(retailer, *lines)) == fields


async def test_the_first_violations_are_named_and_all_lines_counted(
    retailer: Retailer,
) -> None:
    lines = [line(row, 1, sku=f"NEW-{row}") for row in range(2, 252)]
    with pytest.raises(ImportRejected) as rejected:
        await retailer.count(*lines)
    assert 50 < len(rejected.value.violations) <= 100
    assert rejected.value.violations[0].field == "lines[2].style"
    assert rejected.value.metadata == {"rejected_lines": "250"}


async def test_an_import_may_not_grow_a_style_past_its_limits(retailer: Retailer) -> None:
    colours = [
        line(row, 1, sku=f"C-{row}", style="shirt", colour=f"c{row}", size="M")
        for row in range(2, MOST_CHOICES + 2)
    ]
    assert set(await rejections(retailer, *colours)) == {"lines[2].colour"}
    assert (await retailer.count(*colours[1:])).new_skus == MOST_CHOICES - 1
    sizes = [
        line(row, 1, sku=f"S-{row}", style="shirt", colour="red", size=f"s{row}")
        for row in range(2, MOST_SIZES + 1)
    ]
    assert set(await rejections(retailer, *sizes)) == {"lines[2].size"}


async def test_retries_of_an_import_in_flight_together_apply_once(retailer: Retailer) -> None:
    request_id = uuid4()
    lines = (line(2, 3), line(3, 4, **NEW))
    outcomes = await asyncio.gather(
        *(retailer.count(*lines, request_id=request_id) for _ in range(3))
    )
    assert outcomes == [Outcome(2, movements=2, new_skus=1, new_stores=0)] * 3
    assert len(retailer.sql("TABLE movement")) == 2


async def test_counts_and_sales_at_once_leave_nothing_unaccounted(retailer: Retailer) -> None:
    await retailer.move(50)
    await retailer.move(50, store=OSLO)
    sales = [retailer.move(-1, store=store) for store in ("berlin", "oslo") for _ in range(5)]
    counts = [
        retailer.count(line(2, 20 + number, store="oslo"), line(3, 20 + number))
        for number in range(3)
    ]
    await asyncio.gather(*sales, *counts)
    sums = "SELECT store, sum(delta_units) FROM movement GROUP BY store ORDER BY store"
    levels = "SELECT store, on_hand_units FROM level ORDER BY store"
    assert retailer.sql(sums) == retailer.sql(levels)


async def test_a_style_made_at_once_with_an_import_of_it_is_not_contradicted(
    retailer: Retailer,
) -> None:
    outcomes = await asyncio.gather(
        retailer.count(line(2, 3, **NEW)),
        retailer.create_style(BLUE_COAT),
        return_exceptions=True,
    )
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(failed) == 1, "one of them must lose: they disagree about the colour"
    assert len(retailer.sql("SELECT 1 FROM sku WHERE sku = %s", NEW["sku"])) == 1
    assert not isinstance(failed[0], RaceLost) or outcomes[0] is failed[0]


async def test_a_style_made_between_the_check_of_an_import_and_its_writes_is_not_contradicted(
    retailer: Retailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_to_catalogue = ImportStore.add_to_catalogue

    async def after_a_style(store: ImportStore, now: datetime) -> tuple[int, int]:
        await retailer.create_style(BLUE_COAT)
        return await add_to_catalogue(store, now)

    monkeypatch.setattr(ImportStore, "add_to_catalogue", after_a_style)
    with pytest.raises(ImportRejected) as rejected:
        await retailer.count(line(2, 3, **NEW))
    assert [violation.field for violation in rejected.value.violations] == ["lines[2].colour"]
    assert retailer.sql("TABLE movement") == []


async def test_no_lines_of_other_tenants_are_compared(
    retailer: Retailer, database: Database
) -> None:
    other = Retailer(database, retailer.server)
    await other.count(line(2, 3, sku=SHIRT_M, style="x", colour="y", size="z"))
    assert (await retailer.count(line(2, 3))).movements == 1
