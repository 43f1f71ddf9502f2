"""Receives spans and metrics over OTLP/gRPC and keeps them in their region's folder.

    python -m deploy.local.collector 21002=FOLDER/eu-central-1/spans.jsonl ...

A port for each region: spans arrive where they were made, and are kept nowhere else. One JSON
object a line; `hemline trace` reads them. When a file grows too large it becomes `spans.1.jsonl`.
Metrics lie beside them in `metrics.jsonl`: a line for each export of a process, as OTLP has it in
JSON.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc.aio
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_pb_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as pb_grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

DROPPED = {"grpc.message"}
"""Words of an error, which may hold a tenant's figures. Envoy cannot be told to leave them out; the
collectors of a deployment have to drop them too."""
FILE_LIMIT_BYTES = 32 * 1024 * 1024


class Spans(pb_grpc.TraceServiceServicer):
    """Appends what it receives to one file."""

    def __init__(self, file: Path, limit_bytes: int = FILE_LIMIT_BYTES) -> None:
        self._file = file
        self._limit_bytes = limit_bytes

    async def Export(  # noqa: N802 - named by the contract.
        self, request: pb.ExportTraceServiceRequest, _context: Any
    ) -> pb.ExportTraceServiceResponse:
        lines = [json.dumps(span) + "\n" for part in request.resource_spans for span in _flat(part)]
        _append(self._file, lines, self._limit_bytes)
        return pb.ExportTraceServiceResponse()


class Metrics(metrics_pb_grpc.MetricsServiceServicer):
    """Appends what it receives to one file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def Export(  # noqa: N802 - named by the contract.
        self, request: metrics_pb.ExportMetricsServiceRequest, _context: Any
    ) -> metrics_pb.ExportMetricsServiceResponse:
        parts = request.resource_metrics
        lines = [json.dumps(json_format.MessageToDict(part)) + "\n" for part in parts]
        _append(self._file, lines, FILE_LIMIT_BYTES)
        return metrics_pb.ExportMetricsServiceResponse()


def _append(file: Path, lines: list[str], limit_bytes: int) -> None:
    if file.exists() and file.stat().st_size > limit_bytes:
        file.replace(older(file))
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(lines)


def older(file: Path) -> Path:
    """Where the lines before those in ``file`` are."""
    return file.with_name(f"{file.stem}.1{file.suffix}")


def _flat(part: ResourceSpans) -> Iterator[dict[str, Any]]:
    resource = _attributes(part.resource.attributes)
    for scope in part.scope_spans:
        for span in scope.spans:
            yield {
                "trace_id": span.trace_id.hex(),
                "span_id": span.span_id.hex(),
                "parent_span_id": span.parent_span_id.hex(),
                "name": span.name,
                "service": resource.get("service.name", ""),
                "region": resource.get("cloud.region", ""),
                "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                "start_unix_nano": span.start_time_unix_nano,
                "end_unix_nano": span.end_time_unix_nano,
                "error": span.status.code == span.status.STATUS_CODE_ERROR,
                "attributes": {
                    name: value
                    for name, value in _attributes(span.attributes).items()
                    if name not in DROPPED
                },
            }


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair) for pair in pairs}


def _value(pair: KeyValue) -> Any:
    value: AnyValue = pair.value
    kind = value.WhichOneof("value")
    if kind in ("string_value", "bool_value", "int_value", "double_value"):
        return getattr(value, kind)
    return str(value).strip()


async def serve(files: dict[int, Path]) -> None:
    """Serves each port of ``files`` until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        for port, file in files.items():
            server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
            pb_grpc.add_TraceServiceServicer_to_server(Spans(file), server)  # type: ignore[no-untyped-call]
            metrics = Metrics(file.with_name("metrics.jsonl"))
            metrics_pb_grpc.add_MetricsServiceServicer_to_server(metrics, server)  # type: ignore[no-untyped-call]
            server.add_insecure_port(f"127.0.0.1:{port}")
            await server.start()
            stack.push_async_callback(server.stop, 1.0)
        await stop.wait()


def main(arguments: list[str]) -> None:
    pairs = [argument.partition("=") for argument in arguments]
    if not pairs or not all(port.isdecimal() and file for port, _, file in pairs):
        sys.exit("collector: want PORT=FILE, once for each region")
    asyncio.run(serve({int(port): Path(file) for port, _, file in pairs}))


if __name__ == "__main__":
    main(sys.argv[1:])
