import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import grpc
import pytest
from hemline.forecast.v1 import sales_service_pb2 as sales_pb

from tests.api.forecast.support import Planner, refused, sales_line, season

INVALID = grpc.StatusCode.INVALID_ARGUMENT


async def test_lines_are_added_once_whatever_the_import_is_called(planner: Planner) -> None:
    lines = season(days=14)
    first = await planner.imports(lines)
    again = await planner.imports(lines)
    assert (first.lines, first.new_lines, first.known_lines) == (len(lines), len(lines), 0)
    assert (again.lines, again.new_lines, again.known_lines) == (len(lines), 0, len(lines))


async def test_overlapping_files_add_what_is_new(planner: Planner) -> None:
    lines = season(days=14)
    await planner.imports(lines[:50])
    answer = await planner.imports(lines[30:])
    assert (answer.new_lines, answer.known_lines) == (len(lines) - 50, 20)


async def test_a_document_may_hold_a_sku_more_than_once(planner: Planner) -> None:
    twice = [sales_line(1, document="R"), sales_line(2, document="R")]
    assert (await planner.imports(twice)).new_lines == 2
    assert (await planner.imports([*twice, sales_line(3, document="R")])).new_lines == 1


async def test_a_retry_gets_the_first_answer_however_the_lines_are_cut(planner: Planner) -> None:
    lines, name = season(days=7), str(uuid4())
    first = await planner.imports(lines, name)
    assert await planner.imports(lines, name, lines_per_message=7) == first
    assert first.new_lines == len(lines)


async def test_a_request_id_belongs_to_its_lines(planner: Planner) -> None:
    name = str(uuid4())
    await planner.imports([sales_line()], name)
    code, reason, _, _ = await refused(planner.imports([sales_line(units=2)], name))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"document": ""}, "document"),
        ({"document": "x" * 65}, "document"),
        ({"document": "a\tb"}, "document"),
        ({"store": "Berlin"}, "store"),
        ({"store": "-"}, "store"),
        ({"sku": "shirt m"}, "sku"),
        ({"product": "p" * 129}, "product"),
        ({"sale_date": "12/1/2010"}, "sale_date"),
        ({"sale_date": "2026-02-30"}, "sale_date"),
        ({"sale_date": "20260301"}, "sale_date"),
        ({"sale_date": "1999-12-31"}, "sale_date"),
        ({"sale_date": "2999-01-01"}, "sale_date"),
        ({"units": 0}, "units"),
        ({"units": -1_000_001}, "units"),
        ({"unit_price_micros": -1}, "unit_price_micros"),
        ({"unit_price_micros": 10**12 + 1}, "unit_price_micros"),
        ({"row": 0}, "row"),
    ],
)
async def test_a_bad_field_is_named_with_its_row(
    planner: Planner, changed: dict[str, object], field: str
) -> None:
    bad = sales_line(9, **changed)
    code, reason, metadata, fields = await refused(planner.imports([sales_line(8), bad]))
    assert (code, reason) == (INVALID, "IMPORT_REJECTED")
    assert metadata == {"rejected_lines": "1"}
    assert fields == [f"lines[{bad.row}].{field}"]


async def test_a_bad_line_keeps_every_other_out(planner: Planner) -> None:
    lines = season(days=14)
    await refused(planner.imports([*lines, sales_line(9_999, units=0)]))
    assert (await planner.imports(lines)).new_lines == len(lines)


async def test_the_first_bad_lines_are_named_and_all_are_counted(planner: Planner) -> None:
    bad = [sales_line(1_000_000 + at, sale_date="yesterday") for at in range(2_500)]
    code, _, metadata, fields = await refused(planner.imports(bad))
    assert code == INVALID
    assert metadata == {"rejected_lines": "2500"}
    assert 60 < len(fields) <= 100
    assert fields == [f"lines[{1_000_000 + at}].sale_date" for at in range(len(fields))]


async def test_a_line_that_contradicts_a_known_one_is_named(planner: Planner) -> None:
    lines = season(days=14)
    await planner.imports(lines)
    changed = [*lines]
    changed[5] = sales_line(6, document="R-6", sku=lines[5].sku, store="rome")
    new = sales_line(10_000)
    code, reason, metadata, fields = await refused(planner.imports([*changed, new]))
    assert (code, reason) == (INVALID, "IMPORT_REJECTED")
    assert (metadata, fields) == ({"rejected_lines": "1"}, ["lines[6].store"])
    assert (await planner.imports([new])).new_lines == 1


@pytest.mark.parametrize("name", ["", "no-uuid", "6f1c9a520c6e4c0e9a571d8a51f9a0b3"])
async def test_an_import_needs_a_uuid(planner: Planner, name: str) -> None:
    code, reason, _, fields = await refused(planner.imports([sales_line()], name))
    assert (code, reason, fields) == (INVALID, "INVALID_REQUEST", ["request_id"])


async def test_messages_hold_between_one_and_a_thousand_lines(planner: Planner) -> None:
    many = [sales_line(row) for row in range(1, 1_002)]
    for lines in ([], many):
        code, reason, _, fields = await refused(planner.imports(lines, lines_per_message=5_000))
        assert (code, reason, fields) == (INVALID, "INVALID_REQUEST", ["lines"])


async def test_texts_come_back_as_they_went_in(planner: Planner) -> None:
    odd = sales_line(1, document="a\\b 'ü\"", product="chemise\\n/été")
    assert (await planner.imports([odd])).new_lines == 1
    assert (await planner.imports([odd])).known_lines == 1
    await planner.runs()
    assert (await planner.gets("stores/berlin/forecasts/SHIRT-M")).product == "chemise\\n/été"


async def test_an_import_called_off_half_way_leaves_nothing_and_blocks_nobody(
    planner: Planner,
) -> None:
    lines = [sales_line(row) for row in range(1, 501)]

    async def endless() -> AsyncIterator[sales_pb.ImportSalesRequest]:
        yield sales_pb.ImportSalesRequest(request_id=str(uuid4()), lines=lines)
        yield sales_pb.ImportSalesRequest(lines=[sales_line(501)])
        await asyncio.Event().wait()

    # More of them than may run at once, and than there are connections.
    for _ in range(8):
        call = planner.sales.ImportSales(endless(), metadata=planner.metadata)
        await asyncio.sleep(0.05)
        call.cancel()
    assert (await planner.imports(lines)).new_lines == 500


async def test_callers_that_send_nothing_keep_nobody_waiting(planner: Planner) -> None:
    async def silent() -> AsyncIterator[sales_pb.ImportSalesRequest]:
        await asyncio.Event().wait()
        yield sales_pb.ImportSalesRequest()

    # More of them than may run at once.
    calls = [planner.sales.ImportSales(silent(), metadata=planner.metadata) for _ in range(4)]
    assert (await planner.imports([sales_line()])).new_lines == 1
    for call in calls:
        assert not call.done()
        call.cancel()


async def test_the_longest_violations_reach_a_client(planner: Planner) -> None:
    rows = range(2**63 - 1, 2**63 - 1_000, -1)
    bad = [sales_line(row, unit_price_micros=-1, units=0, sale_date="") for row in rows]
    code, reason, metadata, fields = await refused(planner.imports(bad))
    assert (code, reason) == (INVALID, "IMPORT_REJECTED")
    assert metadata == {"rejected_lines": str(len(bad))}
    assert fields
