"""The router's own API."""

from collections.abc import AsyncIterator
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from hemline.router.v1 import router_service_pb2 as pb
from hemline.router.v1 import router_service_pb2_grpc as pb_grpc

from services.chassis import topology
from services.chassis.server import Served
from services.router.servicer import RouterServicer
from tests.support.api import TOPOLOGY, Api, api
from tests.support.tokens import claims


@pytest_asyncio.fixture(scope="module")
async def served() -> AsyncIterator[Api]:
    found = topology.load(TOPOLOGY)
    part = Served(
        pb.DESCRIPTOR.services_by_name["RouterService"],
        pb_grpc.add_RouterServiceServicer_to_server,
        RouterServicer(found),
    )
    async with api([part]) as running:
        yield running


def caller(served: Api) -> tuple[tuple[str, str], ...]:
    return served.as_tenant(uuid4(), [])


async def test_the_home_region_is_that_of_the_token(served: Api) -> None:
    stub = pb_grpc.RouterServiceStub(served.channel)
    answer = await stub.ResolveRegion(pb.ResolveRegionRequest(), metadata=caller(served))
    home = served.topology.regions["eu-central-1"]
    assert answer.region == pb.Region(
        name="regions/eu-central-1",
        jurisdiction="EU",
        endpoint=home.endpoint,
        failover_regions=home.failover,
    )


async def test_regions_come_by_name_in_pages(served: Api) -> None:
    stub = pb_grpc.RouterServiceStub(served.channel)
    seen, token = [], ""
    for _ in range(3):
        request = pb.ListRegionsRequest(page_size=1, page_token=token)
        answer = await stub.ListRegions(request, metadata=caller(served))
        seen += [region.name for region in answer.regions]
        token = answer.next_page_token
    assert seen == [f"regions/{name}" for name in sorted(served.topology.regions)]
    assert token == ""


@pytest.mark.parametrize(
    "request_", [pb.ListRegionsRequest(page_size=501), pb.ListRegionsRequest(page_token="x")]
)
async def test_pages_have_limits(served: Api, request_: pb.ListRegionsRequest) -> None:
    stub = pb_grpc.RouterServiceStub(served.channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.ListRegions(request_, metadata=caller(served))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_caller_from_abroad_is_sent_home(served: Api) -> None:
    stub = pb_grpc.RouterServiceStub(served.channel)
    found = served.topology
    # Signed here, as if this jurisdiction vouched for a home abroad.
    made = claims(found.jurisdictions["EU"], "us-east-1")
    metadata = (("authorization", f"Bearer {served.signer.sign(made)}"),)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.ResolveRegion(pb.ResolveRegionRequest(), metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
