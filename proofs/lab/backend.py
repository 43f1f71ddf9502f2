"""A tiny gRPC backend, run by the lab before each sidecar.

    python -m proofs.lab.backend --address 127.0.0.1:1234 --name inventory-1@eu-central-1

It answers every method of Hemline with the request's own bytes, and says who it is in the header
`x-lab-host` of its trailers. A path that ends in `Watch...` streams.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import identity_service_pb2_grpc as pb_grpc

HOST_HEADER = "x-lab-host"
COUNT = "/lab.Backend/Count"
"""Answers, as digits, how many calls of Hemline's have come here since the start."""

STREAM_SECONDS = 0.05


class Echo(grpc.GenericRpcHandler):
    """Every unary method, one that is poisoned, and streams."""

    def __init__(self, name: str, delay_seconds: float, poison: str) -> None:
        self._headers = ((HOST_HEADER, name),)
        self._delay_seconds = delay_seconds
        self._poison = poison
        self._calls = 0

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        path = handler_call_details.method
        if path == COUNT:
            return grpc.unary_unary_rpc_method_handler(self._count)
        if not path.startswith("/hemline."):
            return None
        self._calls += 1
        if path == self._poison:
            return grpc.unary_unary_rpc_method_handler(self._refuse)
        if path.rpartition("/")[2].startswith("Watch"):
            return grpc.unary_stream_rpc_method_handler(self._stream)
        return grpc.unary_unary_rpc_method_handler(self._answer)

    async def _answer(self, request: bytes, context: Any) -> bytes:
        if self._delay_seconds:
            await asyncio.sleep(self._delay_seconds)
        # With the trailers: headers sent on their own could arrive without the rest of an answer.
        context.set_trailing_metadata(self._headers)
        return request

    async def _count(self, request: bytes, context: Any) -> bytes:
        del request, context
        return str(self._calls).encode()

    async def _stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        context.set_trailing_metadata(self._headers)
        while True:
            yield request
            await asyncio.sleep(STREAM_SECONDS)

    async def _refuse(self, request: bytes, context: Any) -> bytes:
        del request
        await context.abort(grpc.StatusCode.UNAVAILABLE, "poisoned")
        raise AssertionError


class Keys(pb_grpc.IdentityServiceServicer):
    """Stands for identity: it tells the public keys of a file, read at each call."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def ListSigningKeys(self, request: Any, context: Any) -> Any:  # noqa: N802
        del request, context
        keys = [pb.SigningKey(**one) for one in json.loads(self._file.read_text())]
        return pb.ListSigningKeysResponse(signing_keys=keys)


async def serve(arguments: argparse.Namespace) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    if arguments.keys:
        pb_grpc.add_IdentityServiceServicer_to_server(Keys(arguments.keys), server)  # type: ignore[abstract]  # Of identity, this is all.
    echo = Echo(arguments.name, arguments.delay_ms / 1000, arguments.poison)
    server.add_generic_rpc_handlers((echo,))
    checks = health.aio.HealthServicer()
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    server.add_insecure_port(arguments.address)
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    parser = argparse.ArgumentParser(description="A tiny gRPC backend.")
    parser.add_argument("--address", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--poison", default="", help="path that is answered UNAVAILABLE")
    parser.add_argument("--keys", type=Path, help="file of public keys: be identity as well")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
