"""Where proxies report their calls: OTLP logs over gRPC, on the port of xDS.

An entry counts as the proxy's whose certificate sent it. Nothing of an entry is logged or kept
here: `audit` counts, `evidence` keeps what was counted.
"""

from typing import Any

import grpc
import grpc.aio
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as pb
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as pb_grpc
from opentelemetry.proto.logs.v1 import logs_pb2

from services.chassis.topology import Region
from services.router import nodes
from services.router.ads_server import check_peer
from services.router.audit import Auditor, Entry

NODE = "node_name"
"""The attribute in which Envoy says who it is."""

Context = grpc.aio.ServicerContext[Any, Any]


class AccessLogServicer(pb_grpc.LogsServiceServicer):
    def __init__(self, auditor: Auditor, region: Region) -> None:
        self._auditor = auditor
        self._region = region

    def register(self, server: grpc.aio.Server) -> None:
        pb_grpc.add_LogsServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]

    async def Export(  # noqa: N802  # The contract's name.
        self, request: pb.ExportLogsServiceRequest, context: Context
    ) -> pb.ExportLogsServiceResponse:
        for reported in request.resource_logs:
            node = await self._node(reported, context)
            for scope in reported.scope_logs:
                self._auditor.note(
                    node,
                    (
                        Entry(one.time_unix_nano, one.trace_id, one.body.string_value)
                        for one in scope.log_records
                    ),
                )
        return pb.ExportLogsServiceResponse()

    async def _node(self, reported: logs_pb2.ResourceLogs, context: Context) -> nodes.Node:
        names = [
            attribute.value.string_value
            for attribute in reported.resource.attributes
            if attribute.key == NODE
        ]
        try:
            node = nodes.parse(names[0] if names else "")
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        await check_peer(context, node, self._region)
        return node
