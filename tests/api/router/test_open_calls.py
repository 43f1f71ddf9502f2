"""What anybody may ask of an edge takes nothing away from signing in."""

import asyncio
from typing import Any

import grpc
import pytest

from services.router import nodes
from services.router.translate import routes, translate
from services.router.translate.clusters import PROBES_LIMIT
from tests.api.router.mesh import EXCHANGE, Mesh
from tests.support.envoy import until

EDGE = "eu-central-1"
WATCH = "/grpc.health.v1.Health/Watch"
REFLECT = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
ROUTES_TAKEN = "http.edge.rds.edge.update_success"


async def test_health_cannot_be_watched_without_a_token(world: Mesh) -> None:
    answer = await world.grpc(EDGE, WATCH, None)
    assert (answer.code, answer.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_open_calls_without_an_end_leave_room_for_signing_in(
    fragile: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge, region = fragile.proxies[nodes.edge(EDGE)], fragile.regions[EDGE]
    before = edge.counter(ROUTES_TAKEN)
    monkeypatch.setattr(routes, "PROBE_LASTS", "3s")
    region.cache.replace(translate(region.publisher.facts))
    assert await until(lambda: edge.counter(ROUTES_TAKEN) > before)
    # A connection first: calls that wait for one have fewer places.
    assert (await fragile.grpc(EDGE, REFLECT, None)).code is grpc.StatusCode.UNIMPLEMENTED
    fragile.backends[EDGE, "identity"].reflects = True
    address = str(fragile.endpoints[EDGE].edge)
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.unary_unary(REFLECT)
        calls = [method(b"") for _ in range(PROBES_LIMIT + 1)]
        done, held = await asyncio.wait(
            [asyncio.create_task(_code(call)) for call in calls],
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert done.pop().result() is grpc.StatusCode.UNAVAILABLE
        refused = await fragile.grpc(EDGE, REFLECT, None)
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
        assert len(refused.details.details) == 2 if refused.details else False, "RetryInfo too"
        signed_in = await fragile.grpc(EDGE, EXCHANGE, None)
        assert signed_in.code is grpc.StatusCode.OK
        # Without a deadline of the client's: it is the edge that ends them.
        ended = await asyncio.wait_for(asyncio.gather(*held), 30)
        assert grpc.StatusCode.OK not in ended


@pytest.mark.parametrize("seconds", [None, 3600])
async def test_a_call_without_a_token_and_a_body_ends(
    fragile: Mesh, monkeypatch: pytest.MonkeyPatch, seconds: int | None
) -> None:
    """A client's own deadline makes it no longer."""
    assert (await fragile.grpc(EDGE, EXCHANGE, None)).code is grpc.StatusCode.OK
    monkeypatch.setattr(routes, "OPEN_LASTS", "0.5s")
    region = fragile.regions[EDGE]
    region.cache.replace(translate(region.publisher.facts))
    async with grpc.aio.insecure_channel(str(fragile.endpoints[EDGE].edge)) as channel:
        for _ in range(20):  # Until the edge has heard of it.
            method: Any = channel.stream_unary(EXCHANGE)
            call = method(timeout=seconds)
            done, _ = await asyncio.wait([asyncio.create_task(call.code())], timeout=1.5)
            if done:
                break
            call.cancel()
    assert done, "the edge waits for it still"
    assert done.pop().result() is not grpc.StatusCode.OK


async def _code(call: "grpc.aio.UnaryUnaryCall[bytes, bytes]") -> grpc.StatusCode:
    return await call.code()
