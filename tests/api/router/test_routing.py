"""Where calls of known callers go."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis.residency import wrong_region
from services.chassis.status import to_status
from services.router import nodes
from tests.api.router.conftest import two_jurisdictions
from tests.api.router.mesh import EXCHANGE, GET_STOCK, ORIGIN, Mesh, mesh
from tests.support.envoy import until

EU = ["eu-central-1", "eu-west-1"]


@pytest.mark.parametrize("edge", EU)
@pytest.mark.parametrize("home", EU)
async def test_the_home_region_answers_at_every_edge_of_the_jurisdiction(
    world: Mesh, edge: str, home: str
) -> None:
    token = world.token(home)

    def at_home() -> bool:
        return world.web(edge, GET_STOCK, token).headers["x-hemline-served-by"] == home

    # On a machine that stands still for a moment the sibling takes over for that long.
    assert await until(at_home)
    over_grpc = await world.grpc(edge, GET_STOCK, token)
    over_web = await asyncio.to_thread(world.web, edge, GET_STOCK, token)
    for answer in (over_grpc, over_web):
        assert answer.code is grpc.StatusCode.OK
        assert answer.headers["x-hemline-served-by"] == home
        assert answer.body["backend"] == f"inventory@{home}"
    assert over_web.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(("edge", "home"), [("us-east-1", "eu-west-1"), (EU[0], "us-east-1")])
async def test_a_foreign_edge_says_where_home_is(world: Mesh, edge: str, home: str) -> None:
    jurisdiction = world.topology.jurisdiction_of(home).name
    said_by_services = to_status(wrong_region(world.topology, jurisdiction, home))
    over_grpc = await world.grpc(edge, GET_STOCK, world.token(home))
    over_web = await asyncio.to_thread(world.web, edge, GET_STOCK, world.token(home))
    for answer in (over_grpc, over_web):
        assert answer.code is grpc.StatusCode.FAILED_PRECONDITION
        assert answer.message == said_by_services.message
        assert answer.details == said_by_services
    assert over_web.headers["access-control-allow-origin"] == ORIGIN


async def test_headers_that_claim_to_be_ours_are_dropped(world: Mesh) -> None:
    spoofed = [
        ("x-hemline-home-region", "us-east-1"),
        ("x-hemline-jurisdiction", "US"),
        ("x-hemline-cluster", "inventory|us-east-1"),
        ("x-envoy-retry-on", "5xx"),
    ]
    answer = await world.grpc(EU[0], GET_STOCK, world.token(EU[0]), *spoofed)
    assert answer.headers["x-hemline-served-by"] == EU[0]
    assert not answer.body["headers"].keys() & {name for name, _ in spoofed}
    without_token = await world.grpc(EU[0], GET_STOCK, None, *spoofed)
    assert without_token.code is grpc.StatusCode.UNAUTHENTICATED


async def test_the_token_itself_reaches_the_service(world: Mesh) -> None:
    token = world.token(EU[0])
    answer = await world.grpc(EU[0], GET_STOCK, token)
    assert answer.body["headers"]["authorization"] == f"Bearer {token}"


async def test_public_methods_need_no_token(world: Mesh) -> None:
    for answer in (
        await world.grpc(EU[1], EXCHANGE, None),
        await asyncio.to_thread(world.web, EU[1], EXCHANGE, None),
    ):
        assert answer.code is grpc.StatusCode.OK
        # eu-west-1 has no identity running here: its sibling stands in.
        assert answer.body["backend"] == "identity@eu-central-1"


async def test_a_preflight_is_answered_without_a_token(world: Mesh) -> None:
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-grpc-web,traceparent",
    }
    response, _ = await asyncio.to_thread(world.http, EU[0], "OPTIONS", GET_STOCK, asked)
    assert response.status == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN
    allowed = response.headers["access-control-allow-headers"].split(",")
    assert set(asked["access-control-request-headers"].split(",")) <= set(allowed)


async def test_pages_of_other_origins_may_not_call(world: Mesh) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    response, _ = await asyncio.to_thread(world.http, EU[0], "OPTIONS", GET_STOCK, asked)
    assert response.status == 401
    assert "access-control-allow-origin" not in response.headers


async def test_an_edge_says_that_it_is_up(world: Mesh) -> None:
    response, _ = await asyncio.to_thread(world.http, EU[0], "GET", "/healthz", {})
    assert response.status == 200


async def test_health_and_reflection_need_no_token(world: Mesh) -> None:
    address = str(world.endpoints[EU[0]].edge)
    async with grpc.aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    for version in ("v1", "v1alpha"):
        path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
        # The backend has no reflection, and says so itself.
        answer = await world.grpc(EU[0], path, None)
        assert answer.code is grpc.StatusCode.UNIMPLEMENTED
        assert answer.headers["x-hemline-served-by"] == EU[0]


async def test_envoy_took_everything(world: Mesh) -> None:
    for proxy in world.proxies.values():
        lines = proxy.admin("/stats?filter=update_rejected").splitlines()
        assert lines
        assert all(line.endswith(": 0") for line in lines)


async def test_one_request_is_one_trace(world: Mesh) -> None:
    spans = world.collectors[EU[0]].spans
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    parent = ("traceparent", f"00-{trace}-00f067aa0ba902b7-01")
    answer = await world.grpc(EU[0], GET_STOCK, world.token(EU[0]), parent)
    assert answer.body["headers"]["traceparent"].split("-")[1] == trace

    def mine() -> list[dict[str, str]]:
        return [found for found, span in spans if span.trace_id.hex() == trace]

    assert await until(lambda: len(mine()) >= 4, seconds=15)
    assert {found["service.name"] for found in mine()} == {"edge", "inventory-sidecar"}
    assert {found["cloud.region"] for found in mine()} == {EU[0]}
    names = {found["service.name"] for found, span in spans if not span.parent_span_id}
    assert names <= {"edge"}, "health checks make no traces"


async def test_a_foreign_edge_forwards_where_the_topology_says_so() -> None:
    async with mesh(two_jurisdictions("forward"), "DELTA_GRPC") as world:
        answer = await world.grpc("us-east-1", GET_STOCK, world.token("eu-west-1"))
        assert answer.headers["x-hemline-served-by"] == "eu-west-1"
        back = await world.grpc("eu-west-1", GET_STOCK, world.token("us-east-1"))
        assert back.reason == "WRONG_REGION"
        clusters = world.proxies[nodes.edge("eu-west-1")].admin("/clusters")
        assert "us-east-1" not in clusters
