"""A tiny gRPC backend: healthy, and telling in its answer who it is and which headers arrived.

It runs in threads of its own: a test whose event loop is busy must not make every backend look ill.
"""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

IMPORT = "/hemline.inventory.v1.InventoryService/ImportStock"
THREADS = 256
"""Each call that has no end takes one."""


class Echo(grpc.GenericRpcHandler):
    """Answers every method of Hemline with JSON instead of a message."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changing = threading.Lock()
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

    def _answer(self, request: bytes, context: Any) -> bytes:
        del request
        with self._changing:
            self.calls += 1
            refused = self.unavailable > 0
            self.unavailable -= refused
        time.sleep(self.delay_seconds)
        if refused:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        headers = {key: str(value) for key, value in context.invocation_metadata()}
        return json.dumps({"backend": self._name, "headers": headers}).encode()

    def _each(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        """Sends each message back, for as long as the caller likes."""
        del context
        self.calls += 1
        yield from requests

    def _endless(self, request: bytes, context: Any) -> bytes:
        del request
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait()
        return b""


@contextmanager
def backend(name: str, address: str) -> Iterator[Echo]:
    """Serves an `Echo` at ``address`` until left."""
    server = grpc.server(ThreadPoolExecutor(THREADS), options=[("grpc.so_reuseport", 0)])
    echo = Echo(name)
    server.add_generic_rpc_handlers((echo,))
    checks = health.HealthServicer()
    checks.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    server.add_insecure_port(address)
    server.start()
    try:
        yield echo
    finally:
        server.stop(None).wait()
