"""What the routers' own audit says of the calls that a lab has served."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

import grpc.aio
from hemline.router.v1 import residency_service_pb2 as pb
from hemline.router.v1 import residency_service_pb2_grpc as pb_grpc

from proofs.lab.lab import Lab

SECONDS = 10.0
POLL_SECONDS = 1.0
EDGE = "edge"


@dataclass(frozen=True)
class Evidence:
    """Of all jurisdictions, as their edges have reported it."""

    served: Counter[tuple[str, str]]  # By the token's jurisdiction and the region that served.
    seen: int
    violations: int


async def read(lab: Lab) -> Evidence:
    """Asks a router of each jurisdiction for its report. Raises grpc.aio.AioRpcError."""
    served: Counter[tuple[str, str]] = Counter()
    seen = violations = 0
    for jurisdiction in lab.plan.topology.jurisdictions.values():
        report = await _report(lab, jurisdiction.regions[0])
        assert not report.unreachable, report.unreachable
        seen += report.seen
        violations += report.violations
        for count in report.counts:
            if count.reporter == EDGE and count.served_region:
                served[count.token_jurisdiction, count.served_region] += count.calls
    return Evidence(served, seen, violations)


async def settled(
    lab: Lab, before: Evidence, wanted: Counter[tuple[str, str]], seconds: float
) -> Evidence:
    """Reads what has come since ``before``, until ``wanted`` is in it: entries take a while.

    After ``seconds`` it returns what there is.
    """
    deadline = time.monotonic() + seconds
    while True:
        now = await read(lab)
        found = Evidence(
            now.served - before.served, now.seen - before.seen, now.violations - before.violations
        )
        if wanted <= found.served or time.monotonic() > deadline:
            return found
        await asyncio.sleep(POLL_SECONDS)


async def _report(lab: Lab, region: str) -> pb.GetResidencyReportResponse:
    address = lab.plan.regions[region].routers[0]
    metadata = (("authorization", f"Bearer {lab.tokens.sign(region)}"),)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = pb_grpc.ResidencyServiceStub(channel)
        request = pb.GetResidencyReportRequest()
        return await stub.GetResidencyReport(request, metadata=metadata, timeout=SECONDS)
