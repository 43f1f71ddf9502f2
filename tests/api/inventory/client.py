"""A client of the inventory service, and what it sees of an error."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status.rpc_status import from_call
from hemline.inventory.v1 import catalog_service_pb2 as catalog_pb
from hemline.inventory.v1 import catalog_service_pb2_grpc as catalog_grpc
from hemline.inventory.v1 import inventory_service_pb2 as pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as pb_grpc

from services.chassis.wire import to_timestamp
from tests.support.api import Api

YESTERDAY = to_timestamp(datetime.now(UTC) - timedelta(days=1))
SHIRT = catalog_pb.Style(
    name="styles/shirt",
    display_name="Shirt",
    category="shirts",
    choices=[
        catalog_pb.Choice(
            colour=colour,
            sizes=[
                catalog_pb.Size(size=size, sku=f"SHIRT-{colour.upper()}-{size}") for size in run
            ],
        )
        for colour, run in (("red", ("S", "M", "L")), ("blue", ("XL", "L")))
    ],
)


@dataclass
class Refusal:
    """What a client learns from an error."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)


@contextmanager
def refused() -> Iterator[Refusal]:
    """Expects a call to fail. Yields what is filled in when it has."""
    refusal = Refusal()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        yield refusal
    refusal.code = raised.value.code()
    status = from_call(raised.value)  # type: ignore[arg-type]
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Unpack(info):
            refusal.reason, refusal.metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad_request):
            refusal.fields = [found.field for found in bad_request.field_violations]


class Client:
    def __init__(self, service: Api) -> None:
        self.who: Any = service.as_tenant(uuid4())
        self.stock: Any = pb_grpc.InventoryServiceStub(service.channel)
        self.catalog: Any = catalog_grpc.CatalogServiceStub(service.channel)

    async def stock_up(self) -> None:
        for name in ("berlin", "oslo"):
            await self.create_store(name)
        await self.create_style(SHIRT)

    async def create_store(self, name: str, /, **changed: Any) -> catalog_pb.Store:
        store = catalog_pb.Store(
            **{"name": f"stores/{name}", "display_name": name, "time_zone": "Europe/Oslo"}
            | {key: value for key, value in changed.items() if key != "request_id"}
        )
        request = catalog_pb.CreateStoreRequest(
            store=store, request_id=changed.get("request_id", str(uuid4()))
        )
        return (await self.catalog.CreateStore(request, metadata=self.who)).store

    async def create_style(
        self, style: catalog_pb.Style, request_id: str | None = None
    ) -> catalog_pb.Style:
        request = catalog_pb.CreateStyleRequest(style=style, request_id=request_id or str(uuid4()))
        return (await self.catalog.CreateStyle(request, metadata=self.who)).style

    async def move(self, **changed: Any) -> pb.RecordMovementResponse:
        return await self.record(movement(**changed))

    async def record(self, request: pb.RecordMovementRequest) -> pb.RecordMovementResponse:
        return await self.stock.RecordMovement(request, metadata=self.who)

    async def send(self, messages: Iterable[pb.ImportStockRequest]) -> pb.ImportStockResponse:
        async def stream() -> AsyncIterator[pb.ImportStockRequest]:
            for message in messages:
                yield message

        return await self.stock.ImportStock(stream(), metadata=self.who)

    async def count(self, lines: list[pb.StockLine], **heading: Any) -> pb.ImportStockResponse:
        heading = {"request_id": str(uuid4())} | heading
        messages = [
            pb.ImportStockRequest(lines=lines[start : start + 1000])
            for start in range(0, len(lines) or 1, 1000)
        ]
        messages[0].MergeFrom(pb.ImportStockRequest(**heading))
        return await self.send(messages)

    async def level(self, name: str) -> pb.StockLevel:
        request = pb.GetStockLevelRequest(name=name)
        return (await self.stock.GetStockLevel(request, metadata=self.who)).stock_level

    async def levels(self, **request: Any) -> pb.ListStockLevelsResponse:
        return await self.stock.ListStockLevels(
            pb.ListStockLevelsRequest(**request), metadata=self.who
        )


def movement(
    parent: str = "stores/berlin", request_id: str | None = None, **changed: Any
) -> pb.RecordMovementRequest:
    stated: dict[str, Any] = {
        "sku": "SHIRT-RED-M",
        "delta_units": 5,
        "reason": pb.MOVEMENT_REASON_RECEIPT,
        "occur_time": YESTERDAY,
        **changed,
    }
    return pb.RecordMovementRequest(
        parent=parent,
        request_id=str(uuid4()) if request_id is None else request_id,
        movement=pb.Movement(**stated),
    )


def line(row: int, **changed: Any) -> pb.StockLine:
    stated = {"store": "berlin", "sku": "SHIRT-RED-M", "on_hand_units": 3} | changed
    return pb.StockLine(row=row, **stated)
