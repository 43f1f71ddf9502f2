from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from hemline.inventory.v1 import inventory_service_pb2 as pb

from services.chassis.wire import to_timestamp
from tests.api.inventory.client import Client, line, refused
from tests.support.api import Api

TODAY = datetime.now(UTC).date()
PERIOD = {"start_date": str(TODAY - timedelta(days=30)), "end_date": str(TODAY)}


async def streamed(client: Client, **request: Any) -> list[pb.StreamStockDaysResponse]:
    stream = client.stock.StreamStockDays(pb.StreamStockDaysRequest(**request), metadata=client.who)
    return [message async for message in stream]


async def test_levels_come_in_messages_of_a_thousand(client: Client) -> None:
    lines = [
        line(number, store=store, sku=f"S-{number}", style="sock", colour=str(number % 50),
             size=str(number // 50), on_hand_units=number)
        for store in ("berlin", "oslo")
        for number in range(1, 601)
    ]  # fmt: skip
    moment = to_timestamp(datetime.now(UTC) - timedelta(days=3))
    await client.count(lines, count_time=moment)
    messages = await streamed(client, **PERIOD)
    assert all(0 < len(message.stock_days) <= 1_000 for message in messages)
    days = [day for message in messages for day in message.stock_days]
    assert [(day.store, day.sku, day.on_hand_units) for day in days] == sorted(
        (each.store, each.sku, each.on_hand_units) for each in lines
    )
    of_oslo = await streamed(client, parent="stores/oslo", **PERIOD)
    assert {day.store for message in of_oslo for day in message.stock_days} == {"oslo"}


async def test_nothing_stocked_is_an_empty_stream(client: Client) -> None:
    assert await streamed(client, **PERIOD) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"parent": "shops/oslo"}, "parent"),
        ({"start_date": ""}, "start_date"),
        ({"start_date": "1999-12-31"}, "start_date"),
        ({"start_date": "20260101"}, "start_date"),
        ({"end_date": "2026-02-30"}, "end_date"),
        ({"end_date": "2020-01-01"}, "end_date"),
        ({"start_date": "2024-01-01", "end_date": "2025-02-05"}, "end_date"),
    ],
)
async def test_a_bad_field_is_named(client: Client, changed: dict[str, str], field: str) -> None:
    with refused() as refusal:
        await streamed(client, **(PERIOD | changed))
    assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


async def test_reading_stock_needs_its_permission(service: Api, client: Client) -> None:
    client.who = service.as_tenant(uuid4(), ["inventory:write"])
    with refused() as refusal:
        await streamed(client, **PERIOD)
    assert refusal.reason == "PERMISSION_MISSING"
