"""Regions are drained and given back, but never the last healthy one."""

from uuid import uuid4

import grpc
from google.rpc import error_details_pb2
from hemline.router.v1 import operations_service_pb2 as pb

from tests.api.router.operations.support import STREAM, World, drain
from tests.store.router.support import HOME, SIBLING


async def test_a_drain_reaches_the_publisher_and_is_undone(world: World) -> None:
    answer = await world.call("DrainRegion", drain(HOME, percent=1, reason="a look"))
    assert answer.policy.drained == {HOME: 1}
    assert world.drained == {HOME: 1}
    (shares,) = [
        one for one in answer.shares if (one.home_region, one.edge_region) == (HOME, SIBLING)
    ]
    assert shares.percents == {HOME: 99.0, SIBLING: 1.0}
    assert list(answer.unreachable) == []
    request = pb.UndrainRegionRequest(name=f"regions/{HOME}", request_id=str(uuid4()))
    answer = await world.call("UndrainRegion", request)
    assert answer.policy.drained == {}
    assert world.drained == {}
    changes = (await world.call("ListPolicyChanges", pb.ListPolicyChangesRequest())).changes
    assert [(one.version, one.action, one.reason, one.region) for one in changes] == [
        (2, f"undrain {HOME} 0", "", HOME),
        (1, f"drain {HOME} 1", "a look", HOME),
    ]
    assert all(one.operator and one.create_time.seconds for one in changes)


async def test_an_undrain_never_takes_more(world: World) -> None:
    await world.call("DrainRegion", drain(percent=20))
    request = pb.UndrainRegionRequest(
        name=f"regions/{SIBLING}", percent=50, request_id=str(uuid4())
    )
    assert (await world.call("UndrainRegion", request)).policy.drained == {SIBLING: 20}


async def test_the_last_healthy_region_is_not_drained_and_the_rule_is_named(world: World) -> None:
    world.report(eu_central_1=True, eu_west_1=False)
    for percent in (1, 100):
        code, reason, status = await world.refused("DrainRegion", drain(HOME, percent=percent))
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert reason == "LAST_HEALTHY_REGION"
        failure = error_details_pb2.PreconditionFailure()
        assert any(detail.Unpack(failure) for detail in status.details)
        (violation,) = failure.violations
        assert (violation.type, violation.subject) == ("LAST_HEALTHY_REGION", f"regions/{HOME}")
        assert "0 of 2 healthy hosts" in violation.description
    # The one that is down may go.
    await world.call("DrainRegion", drain(SIBLING))


async def test_a_region_nobody_reports_on_does_not_count_as_healthy(world: World) -> None:
    world.observed.ended("edge/eu-central-1/1", STREAM)
    _, reason, status = await world.refused("DrainRegion", drain(validate_only=True))
    assert reason == "LAST_HEALTHY_REGION"
    assert "has sent no health report" in status.message


async def test_both_regions_are_never_drained(world: World) -> None:
    await world.call("DrainRegion", drain(SIBLING))
    _, reason, status = await world.refused("DrainRegion", drain(HOME))
    assert reason == "LAST_HEALTHY_REGION"
    assert f"{SIBLING} is drained" in status.message


async def test_the_same_request_id_is_one_request(world: World) -> None:
    request = drain(percent=10)
    first = await world.call("DrainRegion", request)
    assert await world.call("DrainRegion", request) == first
    request.percent = 11
    code, reason, _ = await world.refused("DrainRegion", request)
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_changes_come_newest_first_in_pages(world: World) -> None:
    for percent in (1, 2, 3):
        await world.call("DrainRegion", drain(percent=percent))
    request, seen = pb.ListPolicyChangesRequest(page_size=2), []
    for _ in range(2):
        page = await world.call("ListPolicyChanges", request)
        seen += [change.version for change in page.changes]
        request.page_token = page.next_page_token
    assert seen == [3, 2, 1]
    assert request.page_token == ""
