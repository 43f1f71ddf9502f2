"""Reports and receipts of a router as it is wired, with a real database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hemline.router.v1 import operations_service_pb2 as operations_pb
from hemline.router.v1 import operations_service_pb2_grpc as operations_grpc
from hemline.router.v1 import residency_service_pb2 as pb
from hemline.router.v1 import residency_service_pb2_grpc as pb_grpc

from deploy.local.postgres import Postgres
from services.chassis.clock import utc_now
from services.router import receipt
from services.router.server import parts
from services.router.settings import VALIDATION_OFF
from tests.api.router.identity import identity
from tests.api.router.mesh import jwk
from tests.api.router.test_control_plane import EU, TOPOLOGY, Control
from tests.store.router.support import HOME, router_postgres
from tests.support.api import Api, api
from tests.support.tokens import Signer

POOL = 2


@dataclass
class World:
    api: Api
    control: Control
    stack: AsyncExitStack
    stub: Any

    async def receipt(self, **asked: Any) -> dict[str, Any]:
        """What a receipt says, verified."""
        request = pb.IssueResidencyReceiptRequest(**asked)
        answer = await self.stub.IssueResidencyReceipt(
            request, metadata=self.api.as_tenant(uuid4(), [])
        )
        authority = self.control.certificates.authorities["EU"].certificate_pem
        return receipt.verify(answer.receipt, authority, utc_now())

    async def first_receipt(self, **asked: Any) -> dict[str, Any]:
        """The same as soon as the router has a snapshot in force."""
        await self.stack.enter_async_context(identity(self.control.eu, jwk(Signer("EU-1"), EU)))
        for _ in range(200):
            try:
                return await self.receipt(**asked)
            except grpc.aio.AioRpcError as refused:
                if _reason(refused) != "PROOF_MISSING":
                    raise
            await asyncio.sleep(0.1)
        raise AssertionError("no proof")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with router_postgres() as made:
        yield made


@pytest_asyncio.fixture
async def world(server: Postgres, tmp_path: Path) -> AsyncIterator[World]:
    """A router that knows no key yet, and so has nothing in force."""
    control = Control(tmp_path)
    settings = control.settings(
        database_urls={HOME: server.app_url("router")},
        database_pool_size=POOL,
        envoy=VALIDATION_OFF,
    )
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(parts(settings, TOPOLOGY))
        running = await stack.enter_async_context(api(served))
        yield World(running, control, stack, pb_grpc.ResidencyServiceStub(running.channel))


async def test_without_a_proof_there_is_no_receipt(world: World) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await world.receipt()
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert _reason(refused.value) == "PROOF_MISSING"


async def test_a_receipt_speaks_of_no_more_than_is_known(world: World) -> None:
    asked = pb.IssueResidencyReceiptRequest()
    asked.start_time.FromDatetime(datetime(1970, 1, 1, tzinfo=UTC))
    asked.end_time.FromDatetime(datetime(2099, 1, 1, tzinfo=UTC))
    before = utc_now()
    found = await world.first_receipt(start_time=asked.start_time, end_time=asked.end_time)
    assert before <= datetime.fromisoformat(found["end"]) <= utc_now()
    assert datetime.fromisoformat(found["start"]) >= before - timedelta(days=400)
    assert found["reporting_regions"] == [HOME]
    assert len(found["proof"]) == 64


async def test_who_asks_for_evidence_holds_up_no_operator(world: World, server: Postgres) -> None:
    operator = world.api.as_tenant(uuid4())
    with psycopg.connect(server.url("postgres", "router")) as connection:
        connection.execute("LOCK TABLE residency_total")  # Every connection will be taken.
        asking = [asyncio.create_task(_code(world.stub, operator)) for _ in range(2 * POOL)]
        await asyncio.sleep(0.5)
        stub: Any = operations_grpc.OperationsServiceStub(world.api.channel)
        request = operations_pb.UndrainRegionRequest(
            name="regions/eu-west-1", request_id=str(uuid4()), reason="test"
        )
        answer = await stub.UndrainRegion(request, metadata=operator)
        assert not any(task.done() for task in asking)
    assert HOME not in answer.unreachable
    await asyncio.gather(*asking)


async def _code(stub: Any, metadata: Any) -> grpc.StatusCode:
    request = pb.GetResidencyReportRequest()
    code: grpc.StatusCode = await stub.GetResidencyReport(request, metadata=metadata).code()
    return code


def _reason(error: Any) -> str:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    status.details[0].Unpack(info)
    return str(info.reason)
