"""The operations API on a real server with the databases of two regions."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hemline.router.v1 import operations_service_pb2 as pb
from hemline.router.v1 import operations_service_pb2_grpc as pb_grpc

from deploy.local.postgres import Postgres
from services.chassis import contract
from services.chassis.clock import utc_now
from services.router import nodes, trial, xds_types
from services.router.cache import SnapshotCache
from services.router.nodes import Node
from services.router.observed import Load, Observed
from services.router.policy import Mode
from services.router.publish import Publisher
from services.router.registry import Registry
from services.router.servicer_operations import Fleet, steering
from services.router.snapshot import Snapshot, resource
from services.router.stream import Verdict
from services.router.translate import Facts, translate
from tests.store.router.support import (
    HOME,
    SERVICES,
    SIBLING,
    empty,
    open_database,
    router_postgres,
    two_regions,
)
from tests.support.api import Api, api
from tests.unit.router.world import certificates, key

STREAM = object()
REPORTED = datetime(2026, 1, 1, tzinfo=UTC)
"""Reports do not grow old here."""

READ = "/hemline.inventory.v1.InventoryService/GetStockLevel"


@dataclass
class World:
    api: Api
    stub: Any
    observed: Observed
    publisher: Publisher
    fleet: Fleet

    def as_operator(self) -> Any:
        return self.api.as_tenant(uuid4())

    async def call(self, method: str, request: Any) -> Any:
        return await getattr(self.stub, method)(request, metadata=self.as_operator())

    async def refused(self, method: str, request: Any) -> tuple[grpc.StatusCode, str, Any]:
        """Returns code, reason and the status of a call that must fail."""
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await self.call(method, request)
        status = rpc_status.from_call(failed.value)
        info = error_details_pb2.ErrorInfo()
        assert status is not None
        status.details[0].Unpack(info)
        return failed.value.code(), info.reason, status

    @property
    def drained(self) -> Mapping[str, int]:
        """As the publisher was told."""
        return self.publisher.facts.policies["EU"].drained

    def report(self, **healthy: bool) -> None:
        """Has an edge say of every host of the regions whether it is healthy."""
        endpoints = self.publisher.facts.endpoints
        verdicts = {
            (region.replace("_", "-"), service): {str(host.sidecar): well for host in hosts}
            for region, well in healthy.items()
            for service, hosts in endpoints[region.replace("_", "-")].services.items()
        }
        self.observed.take_health("edge/eu-central-1/1", STREAM, verdicts)


@pytest.fixture(scope="module")
def both() -> Iterator[dict[str, Postgres]]:
    with router_postgres() as home, router_postgres() as sibling:
        yield {HOME: home, SIBLING: sibling}


@pytest_asyncio.fixture
async def world(both: dict[str, Postgres]) -> AsyncIterator[World]:
    for server in both.values():
        empty(server)
    async with serving(both) as made:
        made.report(eu_central_1=True, eu_west_1=True)
        yield made


@asynccontextmanager
async def serving(servers: dict[str, Postgres]) -> AsyncIterator[World]:
    topology, endpoints = two_regions()
    methods = tuple(method for method in contract.methods() if method.service in SERVICES)
    keys = {name: (key(topology, name),) for name in topology.jurisdictions}
    facts = Facts(HOME, topology, endpoints, keys, methods, 1.0, certificates(topology, HOME))
    cache, observed = SnapshotCache(facts.nodes), Observed(lambda: REPORTED)
    publisher = Publisher(facts, cache)
    fleet = Fleet(Registry(), cache, publisher)
    database = open_database(servers)
    async with (
        steering(database, fleet, observed, utc_now) as served,
        api([served]) as running,
    ):
        stub = pb_grpc.OperationsServiceStub(running.channel)
        yield World(running, stub, observed, publisher, fleet)
    await database.close()


def drain(region: str = SIBLING, **fields: Any) -> pb.DrainRegionRequest:
    given = {"name": f"regions/{region}", "request_id": str(uuid4()), **fields}
    return pb.DrainRegionRequest(**given)


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


async def test_a_policy_is_set_read_and_kept_from_being_overwritten(world: World) -> None:
    policy = (await world.call("GetTrafficPolicy", pb.GetTrafficPolicyRequest())).policy
    assert (policy.jurisdiction, policy.mode) == ("EU", pb.TRAFFIC_MODE_FAILOVER)
    await world.call("DrainRegion", drain(percent=10))
    wanted = pb.TrafficPolicy(
        mode=pb.TRAFFIC_MODE_WEIGHTED, weights={HOME: 70, SIBLING: 30}, home_epoch_floor=2
    )
    wanted.tracks["inventory"].percents.update({"stable": 90, "canary": 10})
    request = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    made = (await world.call("SetTrafficPolicy", request)).policy
    assert dict(made.weights) == {HOME: 70, SIBLING: 30}
    assert dict(made.drained) == {SIBLING: 10}
    assert made.tracks == wanted.tracks
    held = (await world.call("GetTrafficPolicy", pb.GetTrafficPolicyRequest())).policy
    assert held == made
    wanted.etag = policy.etag
    stale = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    code, reason, _ = await world.refused("SetTrafficPolicy", stale)
    assert (code, reason) == (grpc.StatusCode.ABORTED, "POLICY_CHANGED")
    wanted.etag, wanted.home_epoch_floor = "", 1
    lower = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    code, reason, _ = await world.refused("SetTrafficPolicy", lower)
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "EPOCH_FLOOR_LOWERED")


async def test_a_canary_that_is_down_does_not_get_every_call(world: World) -> None:
    verdicts = {
        (region, service): {str(host.sidecar): host.track != "canary" for host in hosts}
        for region in (HOME, SIBLING)
        for service, hosts in world.publisher.facts.endpoints[region].services.items()
    }
    world.observed.take_health("edge/eu-central-1/1", STREAM, verdicts)
    wanted = pb.TrafficPolicy(mode=pb.TRAFFIC_MODE_FAILOVER)
    wanted.tracks["inventory"].percents.update({"canary": 100})
    request = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    code, reason, status = await world.refused("SetTrafficPolicy", request)
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LAST_HEALTHY_REGION")
    assert "inventory has 0 of 1 healthy hosts of track canary" in status.message
    wanted.tracks["inventory"].percents.update({"canary": 99, "stable": 1})
    request = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    await world.call("SetTrafficPolicy", request)


async def test_what_the_checker_would_refuse_is_not_set(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(facts: Facts) -> dict[Node, Snapshot]:
        """A compiler with a mistake that one mode alone shows."""
        made = translate(facts)
        wrong = facts.policy_of(HOME).mode is Mode.LATENCY
        return {node: Snapshot(()) if wrong else found for node, found in made.items()}

    monkeypatch.setattr(trial, "translate", mistaken)
    wanted = pb.TrafficPolicy(mode=pb.TRAFFIC_MODE_LATENCY)
    for dry in (True, False):
        request = pb.SetTrafficPolicyRequest(
            policy=wanted, request_id=str(uuid4()), validate_only=dry
        )
        code, reason, status = await world.refused("SetTrafficPolicy", request)
        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SNAPSHOT_REFUSED")
        failure = error_details_pb2.PreconditionFailure()
        assert any(detail.Unpack(failure) for detail in status.details)
        assert failure.violations[0].description.startswith(f"edge/{HOME}/1: ")
    assert (await world.call("ListPolicyChanges", pb.ListPolicyChangesRequest())).changes == []


async def test_the_same_request_id_is_one_request(world: World) -> None:
    request = drain(percent=10)
    first = await world.call("DrainRegion", request)
    assert await world.call("DrainRegion", request) == first
    request.percent = 11
    code, reason, _ = await world.refused("DrainRegion", request)
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


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


async def test_regions_are_told_at_once_and_again_when_something_changes(world: World) -> None:
    stream = world.stub.WatchRegions(pb.WatchRegionsRequest(), metadata=world.as_operator())
    first = await stream.read()
    assert [region.name for region in first.regions] == [f"regions/{HOME}", f"regions/{SIBLING}"]
    (inventory,) = [one for one in first.regions[0].services if one.service == "inventory"]
    assert (inventory.healthy_hosts, inventory.hosts) == (2, 2)
    world.observed.take_load("edge/eu-central-1/1", STREAM, {(HOME, "inventory"): Load(12.5, 0.5)})
    second = await stream.read()
    (inventory,) = [one for one in second.regions[0].services if one.service == "inventory"]
    assert (inventory.calls_per_second, inventory.errors_per_second) == (12.5, 0.5)
    await world.call("DrainRegion", drain(percent=3))
    third = await stream.read()
    assert third.regions[1].drained_percent == 3
    stream.cancel()


async def test_a_route_is_explained_by_policy_health_and_what_if(world: World) -> None:
    await world.call("DrainRegion", drain(HOME, percent=25))
    request = pb.ExplainRouteRequest(home_region=HOME, method=READ, down_regions=[SIBLING])
    answer = await world.call("ExplainRoute", request)
    assert answer.outcome == pb.ROUTE_OUTCOME_SERVED
    assert [choice.percent for choice in answer.choices] == [75, 25]
    assert (answer.retried, answer.hedged) == (True, True)
    (stand_in, home) = answer.choices[1].steps
    assert (stand_in.region, stand_in.healthy, stand_in.serves) == (SIBLING, False, False)
    assert (home.region, home.healthy, home.serves) == (HOME, True, True)
    assert list(home.endpoints) == ["127.0.0.3:2", "127.0.0.3:4"]
    abroad = await world.call(
        "ExplainRoute", pb.ExplainRouteRequest(home_region="us-east-1", edge_region=HOME)
    )
    assert abroad.outcome == pb.ROUTE_OUTCOME_REDIRECTED


async def test_proxies_are_listed_with_what_they_accepted_and_refused(world: World) -> None:
    body = {"name": "x", "type": "STATIC"}
    snapshot = Snapshot([resource(xds_types.CLUSTER, body)])
    world.fleet.cache.replace({nodes.edge(HOME): snapshot})
    registry = world.fleet.registry
    with registry.stream(f"edge/{HOME}/1") as one, registry.stream(f"edge/{HOME}/2") as two:
        one.sent(xds_types.CLUSTER, 1.0)
        one.judged(Verdict(xds_types.CLUSTER, "v1", None), 1.25)
        one.good_version = snapshot.version
        two.judged(Verdict(xds_types.CLUSTER, "v1", "bad regex"), 2.0)
        request = pb.ListProxiesRequest(page_size=1)
        first = await world.call("ListProxies", request)
        request.page_token = first.next_page_token
        second = await world.call("ListProxies", request)
    assert second.next_page_token == ""
    shown = (first.proof, first.proven_states, first.refused)
    assert shown == (world.publisher.proof, 8, "")
    assert len(first.proof) == 64
    (accepted,), (refused,) = first.proxies, second.proxies
    assert (accepted.node, accepted.connected, accepted.in_sync) == (f"edge/{HOME}/1", True, True)
    assert accepted.snapshot_version == snapshot.version
    assert accepted.resources[0].accepted_version == "v1"
    assert accepted.resources[0].accept_latency.ToMilliseconds() == 250
    assert (refused.in_sync, refused.resources[0].refused_reason) == (False, "bad regex")
    listed = await world.call("ListProxies", pb.ListProxiesRequest())
    assert [proxy.connected for proxy in listed.proxies] == [False, False]


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
