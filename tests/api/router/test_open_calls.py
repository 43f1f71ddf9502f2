"""What anybody may ask of an edge takes nothing away from signing in."""

import asyncio
from typing import Any

import grpc

from services.router.translate.clusters import PROBES_LIMIT
from tests.api.router.mesh import EXCHANGE, Mesh

EDGE = "eu-central-1"
WATCH = "/grpc.health.v1.Health/Watch"
REFLECT = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


async def test_health_cannot_be_watched_without_a_token(world: Mesh) -> None:
    answer = await world.grpc(EDGE, WATCH, None)
    assert (answer.code, answer.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_open_calls_without_an_end_leave_room_for_signing_in(fragile: Mesh) -> None:
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


async def _code(call: "grpc.aio.UnaryUnaryCall[bytes, bytes]") -> grpc.StatusCode:
    return await call.code()
