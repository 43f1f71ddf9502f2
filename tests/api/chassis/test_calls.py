"""What surrounds every call, over a real server: who may call, how failures look, health."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
import structlog
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from hemline.inventory.v1 import inventory_service_pb2 as pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as pb_grpc
from structlog.testing import capture_logs

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.server import Served
from services.chassis.tenancy import current_caller
from tests.support.api import Api, api
from tests.support.tokens import claims

SECRET = "password=hunter2"


class Probe(pb_grpc.InventoryServiceServicer):
    """Answers with what it was asked to do."""

    async def GetStockLevel(self, request: Any, context: Any) -> pb.GetStockLevelResponse:
        if request.name == "bug":
            raise RuntimeError(SECRET)
        if request.name == "sleep":
            await asyncio.sleep(30)
        if request.name == "rule":
            raise InvalidArgument(FieldViolation("name", "must be stores/{store}/levels/{sku}."))
        tenant = str(current_caller().tenant_id)
        return pb.GetStockLevelResponse(stock_level=pb.StockLevel(name=tenant))

    async def ImportStock(self, requests: Any, context: Any) -> pb.ImportStockResponse:
        count = 0
        async for request in requests:
            count += len(request.lines)
        return pb.ImportStockResponse(lines=count)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Api]:
    descriptor = pb.DESCRIPTOR.services_by_name["InventoryService"]
    add = pb_grpc.add_InventoryServiceServicer_to_server
    async with api([Served(descriptor, add, Probe())]) as running:
        yield running


async def get(server: Api, name: str, metadata: Any = None, seconds: float = 10) -> Any:
    stub = pb_grpc.InventoryServiceStub(server.channel)
    metadata = server.as_tenant(uuid4()) if metadata is None else metadata
    return await stub.GetStockLevel(
        pb.GetStockLevelRequest(name=name), metadata=metadata, timeout=seconds
    )


def reason_of(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    status.details[0].Unpack(info)
    return info.reason


async def test_the_tenant_comes_from_the_token(server: Api) -> None:
    tenant = uuid4()
    answer = await get(server, "me", server.as_tenant(tenant))
    assert answer.stock_level.name == str(tenant)


async def test_calls_side_by_side_do_not_mix_callers(server: Api) -> None:
    tenants = [uuid4() for _ in range(20)]
    answers = await asyncio.gather(*(get(server, "me", server.as_tenant(one)) for one in tenants))
    assert [one.stock_level.name for one in answers] == [str(one) for one in tenants]


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer x.y.z"),)])
async def test_without_a_good_token_nobody_gets_in(server: Api, metadata: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await get(server, "me", metadata)
    assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(refusal.value) == "TOKEN_INVALID"


async def test_a_missing_permission_is_named(server: Api) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await get(server, "me", server.as_tenant(uuid4(), ["inventory:write"]))
    assert refusal.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert "inventory:read" in str(refusal.value.details())


async def test_a_token_of_a_foreign_home_is_sent_there(server: Api) -> None:
    body = claims(server.topology.jurisdictions["EU"], "us-east-1")
    bearer = (("authorization", f"Bearer {server.signer.sign(body)}"),)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await get(server, "me", bearer)
    assert refusal.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(refusal.value) == "WRONG_REGION"


async def test_a_broken_rule_names_the_field(server: Api) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await get(server, "rule")
    status = rpc_status.from_call(refusal.value)  # type: ignore[arg-type]
    assert status is not None
    bad_request = error_details_pb2.BadRequest()
    status.details[1].Unpack(bad_request)
    assert bad_request.field_violations[0].field == "name"


async def test_a_bug_tells_the_caller_nothing_and_the_log_everything(server: Api) -> None:
    with capture_logs() as lines, pytest.raises(grpc.aio.AioRpcError) as refusal:
        await get(server, "bug")
    assert refusal.value.code() == grpc.StatusCode.INTERNAL
    assert SECRET not in str(refusal.value.details())
    assert SECRET not in str(refusal.value.trailing_metadata())
    assert "call_failed" in [line["event"] for line in lines]


async def test_the_line_of_a_call_names_its_tenant_and_no_other(server: Api) -> None:
    tenants = [uuid4() for _ in range(5)]
    merged = structlog.contextvars.merge_contextvars
    with capture_logs(processors=[merged]) as lines:
        await asyncio.gather(*(get(server, "me", server.as_tenant(one)) for one in tenants))
        with pytest.raises(grpc.aio.AioRpcError):
            await get(server, "me", ())
    calls = [line for line in lines if line["event"] == "call"]
    assert {line["tenant_id"] for line in calls[:5]} == {str(one) for one in tenants}
    assert "tenant_id" not in calls[5]


async def test_a_deadline_that_passes_is_told(server: Api) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await get(server, "sleep", seconds=0.3)
    assert refusal.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_streams_are_guarded_alike(server: Api) -> None:
    stub = pb_grpc.InventoryServiceStub(server.channel)

    async def messages() -> AsyncIterator[pb.ImportStockRequest]:
        yield pb.ImportStockRequest(lines=[pb.StockLine(), pb.StockLine()])

    answer = await stub.ImportStock(messages(), metadata=server.as_tenant(uuid4()))
    assert answer.lines == 2
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub.ImportStock(messages())
    assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_health_answers_without_a_token(server: Api) -> None:
    stub = health_pb2_grpc.HealthStub(server.channel)
    for service in ("", "hemline.inventory.v1.InventoryService"):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_tells_of_the_whole_suite(server: Api) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    call = stub.ServerReflectionInfo(
        iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=5
    )
    answers = [answer async for answer in call]
    names = {one.name for one in answers[0].list_services_response.service}
    assert {"hemline.forecast.v1.ForecastService", "hemline.router.v1.RouterService"} <= names
