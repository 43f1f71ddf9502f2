"""What operators are shown: regions, routes and proxies."""

from hemline.router.v1 import operations_service_pb2 as pb

from services.router import nodes, xds_types
from services.router.observed import Load
from services.router.snapshot import Snapshot, resource
from services.router.stream import Verdict
from tests.api.router.operations.support import STREAM, World, drain
from tests.store.router.support import HOME, SIBLING

READ = "/hemline.inventory.v1.InventoryService/GetStockLevel"


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
