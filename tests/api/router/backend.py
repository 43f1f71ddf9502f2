"""A tiny gRPC backend: healthy, and telling in its answer who it is and which headers arrived."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

IMPORT = "/hemline.inventory.v1.InventoryService/ImportStock"


class Echo(grpc.GenericRpcHandler):
    """Answers every method of Hemline with JSON instead of a message."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.calls = 0
        self.delay_seconds = 0.0
        self.unavailable = 0  # So many calls are answered that way first.
        self.reflects = False  # If so, without an answer and without an end.

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if self.reflects and handler_call_details.method.startswith("/grpc.reflection."):
            return grpc.unary_unary_rpc_method_handler(self._endless)
        if handler_call_details.method == IMPORT:
            return grpc.stream_stream_rpc_method_handler(self._each)
        if not handler_call_details.method.startswith("/hemline."):
            return None
        return grpc.unary_unary_rpc_method_handler(self._answer)

    async def _answer(self, request: bytes, context: Any) -> bytes:
        del request
        self.calls += 1
        await asyncio.sleep(self.delay_seconds)
        if self.unavailable:
            self.unavailable -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        headers = {key: str(value) for key, value in context.invocation_metadata()}
        return json.dumps({"backend": self._name, "headers": headers}).encode()

    async def _each(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """Sends each message back, for as long as the caller likes."""
        del context
        self.calls += 1
        async for request in requests:
            yield request

    async def _endless(self, request: bytes, context: Any) -> bytes:
        del request, context
        await asyncio.Event().wait()
        raise AssertionError


@asynccontextmanager
async def backend(name: str, address: str) -> AsyncIterator[Echo]:
    """Serves an `Echo` at ``address`` until left."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    echo = Echo(name)
    server.add_generic_rpc_handlers((echo,))
    checks = health.aio.HealthServicer()
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    server.add_insecure_port(address)
    await server.start()
    try:
        yield echo
    finally:
        await server.stop(None)
