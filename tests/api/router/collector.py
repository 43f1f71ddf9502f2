"""An OTLP collector that keeps what it is sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Collector(grpc.GenericRpcHandler):
    def __init__(self) -> None:
        self.spans: list[tuple[dict[str, str], Any]] = []  # Resource attributes, span.

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if handler_call_details.method != EXPORT:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=pb.ExportTraceServiceRequest.FromString,
            response_serializer=pb.ExportTraceServiceResponse.SerializeToString,
        )

    async def _export(self, request: Any, context: Any) -> Any:
        del context
        for group in request.resource_spans:
            attributes = {one.key: one.value.string_value for one in group.resource.attributes}
            for scope in group.scope_spans:
                self.spans += [(attributes, span) for span in scope.spans]
        return pb.ExportTraceServiceResponse()


@asynccontextmanager
async def collector(address: str) -> AsyncIterator[Collector]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    made = Collector()
    server.add_generic_rpc_handlers((made,))
    server.add_insecure_port(address)
    await server.start()
    try:
        yield made
    finally:
        await server.stop(None)
