import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hemline.inventory.v1 import inventory_service_pb2 as pb

from services.chassis.wire import to_timestamp
from services.inventory import domain
from tests.api.inventory.client import Client, movement, refused
from tests.support.api import Api


async def test_a_movement_is_answered_as_recorded(client: Client) -> None:
    request = movement()
    response = await client.record(request)
    assert response.on_hand_units == 5
    assert response.movement.name == f"stores/berlin/movements/{request.request_id}"
    assert response.movement.sku == "SHIRT-RED-M"
    assert response.movement.delta_units == 5
    assert response.movement.reason == pb.MOVEMENT_REASON_RECEIPT
    assert response.movement.occur_time == request.movement.occur_time
    assert response.movement.record_time.seconds > request.movement.occur_time.seconds


async def test_a_retry_is_answered_alike_to_the_nanosecond(client: Client) -> None:
    request = movement(occur_time=Timestamp(seconds=1_700_000_000, nanos=123_456_789))
    first = await client.record(request)
    await client.move(delta_units=1)
    assert await client.record(request) == first
    assert first.movement.occur_time.nanos == 123_456_789
    request.request_id = request.request_id.upper()
    assert await client.record(request) == first


async def test_a_nanosecond_makes_another_movement(client: Client) -> None:
    request = movement(occur_time=Timestamp(seconds=1_700_000_000, nanos=123_456_789))
    await client.record(request)
    request.movement.occur_time.nanos += 1
    with refused() as refusal:
        await client.record(request)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )


async def test_output_only_fields_are_ignored(client: Client) -> None:
    request = movement()
    first = await client.record(request)
    request.movement.name = "anything"
    request.movement.record_time.FromSeconds(1)
    assert await client.record(request) == first


@pytest.mark.parametrize(
    ("changed", "code", "reason"),
    [
        ({"parent": "stores/nowhere"}, grpc.StatusCode.NOT_FOUND, "STORE_NOT_FOUND"),
        ({"sku": "NOTHING"}, grpc.StatusCode.NOT_FOUND, "SKU_NOT_FOUND"),
        ({"delta_units": -6}, grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_STOCK"),
    ],
)
async def test_a_movement_that_cannot_be_says_why(
    client: Client, changed: dict[str, object], code: grpc.StatusCode, reason: str
) -> None:
    await client.move()
    with refused() as refusal:
        await client.move(**changed)
    assert (refusal.code, refusal.reason) == (code, reason)
    assert (await client.level("stores/berlin/levels/SHIRT-RED-M")).on_hand_units == 5


async def test_a_level_has_a_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # It takes a thousand of the largest movements to come to the real one.
    monkeypatch.setattr(domain, "MOST_LEVEL_UNITS", 1_000_000)
    await client.move(delta_units=1_000_000)
    with refused() as refusal:
        await client.move(delta_units=1)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LEVEL_LIMIT")


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"parent": ""}, "parent"),
        ({"parent": "berlin"}, "parent"),
        ({"parent": "stores/Berlin"}, "parent"),
        ({"parent": "stores/-/x"}, "parent"),
        ({"parent": "stores/" + "a" * 64}, "parent"),
        ({"parent": "stores/berlin\n"}, "parent"),
        ({"request_id": ""}, "request_id"),
        ({"request_id": "{" + str(uuid4()) + "}"}, "request_id"),
        ({"request_id": uuid4().hex}, "request_id"),
        ({"request_id": str(UUID(int=0))}, "request_id"),
        ({"sku": ""}, "movement.sku"),
        ({"sku": "shirt"}, "movement.sku"),
        ({"sku": "SHIRT\x00"}, "movement.sku"),
        ({"sku": "Ä"}, "movement.sku"),
        ({"sku": "A" * 65}, "movement.sku"),
        ({"delta_units": 0}, "movement.delta_units"),
        ({"delta_units": 1_000_001}, "movement.delta_units"),
        ({"delta_units": -1_000_001}, "movement.delta_units"),
        ({"delta_units": -(2**63)}, "movement.delta_units"),
        ({"reason": pb.MOVEMENT_REASON_UNSPECIFIED}, "movement.reason"),
        ({"reason": 99}, "movement.reason"),
        ({"occur_time": None}, "movement.occur_time"),
        ({"occur_time": Timestamp(seconds=2**62)}, "movement.occur_time"),
        ({"occur_time": Timestamp(seconds=-62135596800)}, "movement.occur_time"),
        ({"occur_time": Timestamp(nanos=-1)}, "movement.occur_time"),
        ({"occur_time": Timestamp(nanos=2_000_000_000)}, "movement.occur_time"),
        ({"occur_time": to_timestamp(NOW + timedelta(days=2))}, "movement.occur_time"),
    ],
)
async def test_a_broken_field_is_named(
    client: Client, changed: dict[str, object], field: str
) -> None:
    with refused() as refusal:
        await client.move(**changed)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
    )
    assert refusal.fields == [field]


async def test_all_broken_fields_are_named_at_once(client: Client) -> None:
    with refused() as refusal:
        await client.record(pb.RecordMovementRequest())
    assert refusal.fields == ["parent", "request_id", "movement"]


async def test_the_last_unit_is_sold_once(client: Client) -> None:
    await client.move(delta_units=1)
    outcomes = await asyncio.gather(
        *(client.move(delta_units=-1, reason=pb.MOVEMENT_REASON_SALE) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, pb.RecordMovementResponse) for outcome in outcomes) == 1


async def test_reading_does_not_permit_writing(service: Api, client: Client) -> None:
    client.who = service.as_tenant(uuid4(), ["inventory:read"])
    with refused() as refusal:
        await client.move()
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_MISSING",
    )
    assert not (await client.levels()).stock_levels
