import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import pytest
from hemline.inventory.v1 import inventory_service_pb2 as pb

from tests.api.inventory.client import YESTERDAY, Client, line, refused


def described(row: int, **changed: Any) -> pb.StockLine:
    """A line that says all of a SKU of its own."""
    stated = {"sku": f"SOCK-{row}", "style": f"sock-{row // 50}", "colour": "c", "size": str(row)}
    return line(row, **stated | changed)


async def test_an_import_of_many_messages_is_one(client: Client) -> None:
    lines = [described(row, store=f"s{row % 3}") for row in range(1, 2501)]
    request_id = str(uuid4())
    first = await client.count(lines, request_id=request_id, count_time=YESTERDAY)
    assert first == pb.ImportStockResponse(lines=2500, movements=2500, new_skus=2500, new_stores=3)
    # However it is cut into messages.
    messages = [
        pb.ImportStockRequest(request_id=request_id, lines=lines[start : start + 500])
        for start in range(0, 2500, 500)
    ]
    assert await client.send(messages) == first
    again = await client.count(lines)
    assert again == pb.ImportStockResponse(lines=2500)
    with refused() as refusal:
        await client.count(lines[:-1], request_id=request_id)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )


async def test_rejected_lines_are_named_by_row_and_field(client: Client) -> None:
    with refused() as refusal:
        await client.count(
            [
                line(2),
                line(3, store="Berlin", on_hand_units=-1),
                line(4, sku="UNKNOWN"),
                line(5),
                line(6, on_hand_units=1_000_001),
                line(0, store="oslo"),
            ]
        )
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "IMPORT_REJECTED",
    )
    assert set(refusal.fields) == {
        "lines[3].store",
        "lines[3].on_hand_units",
        "lines[4].style",
        "lines[5].sku",
        "lines[6].on_hand_units",
        "lines[0].row",
    }
    assert refusal.metadata == {"rejected_lines": "5"}
    assert not (await client.levels()).stock_levels


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"store": ""}, "store"),
        ({"sku": "a"}, "sku"),
        ({"on_hand_units": 2**62}, "on_hand_units"),
        ({"style": "Shirt"}, "style"),
        ({"colour": "x" * 64}, "colour"),
        ({"colour": "a\x00"}, "colour"),
        ({"size": "x" * 21}, "size"),
        ({"category": "x" * 64}, "category"),
    ],
)
async def test_a_broken_field_of_a_line_is_named(
    client: Client, changed: dict[str, Any], field: str
) -> None:
    with refused() as refusal:
        await client.count([line(7, **changed)])
    assert refusal.reason == "IMPORT_REJECTED"
    assert refusal.fields == [f"lines[7].{field}"]


async def test_as_many_violations_are_named_as_fit(client: Client) -> None:
    with refused() as refusal:
        await client.count([line(row, store="X") for row in range(1, 1501)])
    assert 50 < len(refusal.fields) <= 100
    assert refusal.metadata == {"rejected_lines": "1500"}


async def test_the_longest_violations_reach_a_client(client: Client) -> None:
    rows = range(2**63 - 1, 2**63 - 200, -1)
    colour = "\U0001f9e5" * 63
    known = {"sku": "LONG-1", "style": "s" * 63, "colour": colour, "size": "m"}
    await client.count([line(1, **known)])
    with refused() as refusal:
        await client.count([line(row, **known | {"colour": "red"}) for row in rows])
    assert refusal.reason == "IMPORT_REJECTED"
    assert refusal.fields
    assert refusal.metadata == {"rejected_lines": str(len(rows))}


async def test_callers_that_send_nothing_keep_nobody_waiting(client: Client) -> None:
    async def silent() -> AsyncIterator[pb.ImportStockRequest]:
        await asyncio.Event().wait()
        yield pb.ImportStockRequest()

    # More of them than may run at once.
    calls = [client.stock.ImportStock(silent(), metadata=client.who) for _ in range(4)]
    assert (await client.count([line(2)])).movements == 1
    for call in calls:
        assert not call.done()
        call.cancel()


REQUEST_ID = str(uuid4())


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "request_id"),
        ([pb.ImportStockRequest(lines=[line(2)])], "request_id"),
        ([pb.ImportStockRequest(request_id=REQUEST_ID)], "lines"),
        (
            [pb.ImportStockRequest(request_id=REQUEST_ID, lines=[line(2)] * 1001)],
            "lines",
        ),
        (
            [pb.ImportStockRequest(request_id=REQUEST_ID, lines=[line(2)] * 1000)] * 201,
            "lines",
        ),
        (
            [
                pb.ImportStockRequest(request_id=REQUEST_ID, lines=[line(2)]),
                pb.ImportStockRequest(request_id=str(uuid4()), lines=[line(3)]),
            ],
            "request_id",
        ),
        (
            [
                pb.ImportStockRequest(request_id=REQUEST_ID, lines=[line(2)]),
                pb.ImportStockRequest(count_time=YESTERDAY, lines=[line(3)]),
            ],
            "count_time",
        ),
    ],
    ids=["nothing", "no request_id", "no lines", "long message", "long import", "two ids", "times"],
)
async def test_a_broken_message_is_refused_at_once(
    client: Client, messages: list[pb.ImportStockRequest], field: str
) -> None:
    with refused() as refusal:
        await client.send(messages)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
    )
    assert refusal.fields == [field]


async def test_an_import_that_is_broken_off_changes_nothing(client: Client) -> None:
    sent = asyncio.Event()

    async def stream() -> AsyncIterator[pb.ImportStockRequest]:
        yield pb.ImportStockRequest(request_id=str(uuid4()), lines=[line(2)])
        sent.set()
        await asyncio.Event().wait()

    call = client.stock.ImportStock(stream(), metadata=client.who)
    await sent.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not (await client.levels()).stock_levels
    assert (await client.count([line(2)])).movements == 1
