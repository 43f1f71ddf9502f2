"""Spans as they arrive over OTLP, are kept, and are drawn."""

import json
from pathlib import Path

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from cli import trace
from deploy.local.collector import Spans
from deploy.local.places import Places

TRACE = "0af7651916cd43dd8448eb211c80319c"


def request(service: str, *spans: Span) -> pb.ExportTraceServiceRequest:
    name = KeyValue(key="service.name", value=AnyValue(string_value=service))
    part = ResourceSpans(
        resource=Resource(attributes=[name]), scope_spans=[ScopeSpans(spans=spans)]
    )
    return pb.ExportTraceServiceRequest(resource_spans=[part])


def span(number: int, parent: int, name: str, error: bool = False) -> Span:  # noqa: FBT001, FBT002
    return Span(
        trace_id=bytes.fromhex(TRACE),
        span_id=number.to_bytes(8),
        parent_span_id=parent.to_bytes(8) if parent else b"",
        name=name,
        start_time_unix_nano=number * 1_000_000,
        end_time_unix_nano=number * 1_000_000 + 2_500_000,
        status=Status(code=Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_OK),
    )


async def test_a_trace_over_two_regions_is_drawn_as_one_tree(tmp_path: Path) -> None:
    here = Places(tmp_path)
    for region in ("eu-central-1", "eu-west-1"):
        here.region(region).mkdir(parents=True)
    west = Spans(here.region("eu-west-1") / "spans.jsonl")
    central = Spans(here.region("eu-central-1") / "spans.jsonl")
    await west.Export(request("edge", span(1, 0, "ingress")), None)
    await central.Export(request("inventory", span(3, 2, "SELECT", error=True)), None)
    await central.Export(request("sidecar", span(2, 1, "ingress")), None)
    spans = trace.find(here, TRACE)
    assert trace.tree(spans) == [
        "     0.0 +     2.5 ms  eu-west-1      edge: ingress",
        "     1.0 +     2.5 ms  eu-central-1     sidecar: ingress",
        "     2.0 +     2.5 ms  eu-central-1       inventory: SELECT  ERROR",
    ]
    assert trace.find(here, "0" * 32) == []


async def test_spans_without_a_known_parent_are_roots(tmp_path: Path) -> None:
    here = Places(tmp_path)
    here.region("us-east-1").mkdir(parents=True)
    kept = Spans(here.region("us-east-1") / "spans.jsonl")
    await kept.Export(request("edge", span(5, 9, "ingress")), None)
    assert len(trace.tree(trace.find(here, TRACE))) == 1


async def test_a_file_of_spans_is_bounded(tmp_path: Path) -> None:
    here = Places(tmp_path)
    here.region("us-east-1").mkdir(parents=True)
    file = here.region("us-east-1") / "spans.jsonl"
    kept = Spans(file, limit_bytes=100)
    for number in (1, 2, 3):
        await kept.Export(request("edge", span(number, 0, f"call {number}")), None)
    assert [json.loads(line)["name"] for line in file.read_text().splitlines()] == ["call 3"]
    assert [each["name"] for each in trace.find(here, TRACE)] == ["call 2", "call 3"]
