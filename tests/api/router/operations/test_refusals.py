"""Who may not ask, and what may not be asked for."""

from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from hemline.router.v1 import operations_service_pb2 as pb

from tests.api.router.operations.support import World, drain
from tests.store.router.support import HOME


@pytest.mark.parametrize(
    ("method", "call", "field"),
    [
        ("DrainRegion", drain("Berlin"), "name"),
        ("DrainRegion", drain(percent=101), "percent"),
        ("DrainRegion", drain(request_id="x"), "request_id"),
        ("DrainRegion", drain(reason="x" * 201), "reason"),
        ("DrainRegion", drain(etag="x" * 65), "etag"),
        (
            "UndrainRegion",
            pb.UndrainRegionRequest(name="regions/a", percent=100, request_id=str(uuid4())),
            "percent",
        ),
        ("SetTrafficPolicy", pb.SetTrafficPolicyRequest(request_id=str(uuid4())), "policy.mode"),
        (
            "SetTrafficPolicy",
            pb.SetTrafficPolicyRequest(
                policy=pb.TrafficPolicy(mode=pb.TRAFFIC_MODE_FAILOVER, home_epoch_floor=2**53),
                request_id=str(uuid4()),
            ),
            "policy.home_epoch_floor",
        ),
        ("ExplainRoute", pb.ExplainRouteRequest(), "home_region"),
        ("ExplainRoute", pb.ExplainRouteRequest(home_region=HOME, method="/a/b"), "method"),
        ("ListProxies", pb.ListProxiesRequest(page_size=501), "page_size"),
        ("ListPolicyChanges", pb.ListPolicyChangesRequest(page_token="x"), "page_token"),
    ],
)
async def test_fields_are_checked(world: World, method: str, call: Any, field: str) -> None:
    code, reason, status = await world.refused(method, call)
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    bad = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(bad)
    assert bad.field_violations[0].field == field


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("DrainRegion", drain("us-east-1")),
        ("UndrainRegion", pb.UndrainRegionRequest(name="regions/x-1", request_id=str(uuid4()))),
        ("ExplainRoute", pb.ExplainRouteRequest(home_region="eu-north-1")),
        ("ExplainRoute", pb.ExplainRouteRequest(home_region=HOME, down_regions=["eu-north-1"])),
    ],
)
async def test_regions_of_others_are_not_there(world: World, method: str, call: Any) -> None:
    code, reason, _ = await world.refused(method, call)
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "REGION_NOT_FOUND")


async def test_only_platform_operators_may_ask(world: World) -> None:
    metadata = world.api.as_tenant(uuid4(), ["inventory:write"])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await world.stub.GetTrafficPolicy(pb.GetTrafficPolicyRequest(), metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
