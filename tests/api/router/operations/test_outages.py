"""With a database down the other decides; with both down nothing changes."""

import asyncio

import grpc
from hemline.router.v1 import operations_service_pb2 as pb

from deploy.local.postgres import Postgres
from tests.api.router.operations.support import drain, serving
from tests.store.router.support import HOME, SIBLING, empty


async def test_while_one_database_is_down_the_other_decides(both: dict[str, Postgres]) -> None:
    for server in both.values():
        empty(server)
    gone = Postgres(both[HOME].data, 1, "x")
    async with serving({HOME: gone, SIBLING: both[SIBLING]}) as world:
        world.report(eu_central_1=True, eu_west_1=True)
        answer = await world.call("DrainRegion", drain(percent=5))
        assert list(answer.unreachable) == [HOME]
        page = await world.call("ListPolicyChanges", pb.ListPolicyChangesRequest())
        assert (len(page.changes), list(page.unreachable)) == (1, [HOME])


async def test_while_no_database_answers_the_policy_stays_and_nothing_is_set() -> None:
    nowhere = {name: Postgres(None, 1, "x") for name in (HOME, SIBLING)}  # type: ignore[arg-type]
    async with serving(nowhere) as world:
        world.report(eu_central_1=True, eu_west_1=True)
        for method, request in (
            ("DrainRegion", drain(percent=5)),
            ("ListPolicyChanges", pb.ListPolicyChangesRequest()),
        ):
            code, reason, _ = await world.refused(method, request)
            assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
        held = await world.call("GetTrafficPolicy", pb.GetTrafficPolicyRequest())
        assert held.policy.mode == pb.TRAFFIC_MODE_FAILOVER
        await asyncio.sleep(0)
