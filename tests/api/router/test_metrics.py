"""What the router counts reaches a collector, with the reason."""

import json
import sys
from asyncio import create_subprocess_exec
from pathlib import Path
from typing import Any

import grpc.aio
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as pb_grpc

from deploy.local.collector import Metrics

REFUSING = """
import dataclasses, sys
from pathlib import Path
from services.chassis import telemetry
from services.chassis.settings import ServiceSettings
from services.router.cache import SnapshotCache
from services.router.publish import Publisher
from tests.unit.router.world import facts

here = facts()
started = telemetry.start(
    "router",
    ServiceSettings(
        region=here.region,
        topology_file=Path(),
        address="",
        identity_addresses=(),
        otlp_endpoint=sys.argv[1],
    ),
)
nobody = dataclasses.replace(here.certificates, leaves={})
assert not Publisher(here, SnapshotCache(here.nodes)).update(certificates=nobody)
started.shutdown()
"""
"""A router's process in short: it is told of certificates without a leaf, and ends."""


async def test_a_refused_snapshot_is_counted_at_the_collector_by_who_refused_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "metrics.jsonl"
    server = grpc.aio.server()
    pb_grpc.add_MetricsServiceServicer_to_server(Metrics(file), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    child = await create_subprocess_exec(sys.executable, "-c", REFUSING, f"127.0.0.1:{port}")
    assert await child.wait() == 0
    await server.stop(None)
    [sent] = [json.loads(line) for line in file.read_text().splitlines()]
    resource = {one["key"]: one["value"] for one in sent["resource"]["attributes"]}
    assert resource["cloud.region"] == {"stringValue": "eu-central-1"}
    [refused] = points(sent, "hemline.router.snapshots_refused")
    assert refused["asInt"] == "1"
    assert refused["attributes"] == [{"key": "by", "value": {"stringValue": "translate"}}]


def points(sent: Any, name: str) -> list[Any]:
    return [
        point
        for scope in sent["scopeMetrics"]
        for metric in scope["metrics"]
        if metric["name"] == name
        for point in metric["sum"]["dataPoints"]
    ]
