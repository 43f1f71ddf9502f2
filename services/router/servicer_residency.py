"""The residency evidence on the wire."""

from collections.abc import Callable
from typing import Any

import grpc.aio
from hemline.router.v1 import residency_service_pb2 as pb
from hemline.router.v1 import residency_service_pb2_grpc as pb_grpc

from services.chassis.clock import Clock
from services.chassis.tenancy import current_caller
from services.router import convert_residency as convert
from services.router import receipt
from services.router.evidence import Evidence
from services.router.leaf import Leaf

Context = grpc.aio.ServicerContext[Any, Any]


class ResidencyServicer(pb_grpc.ResidencyServiceServicer):
    """Reports and receipts.

    Args:
        evidence: of the jurisdiction's regions.
        leaf: the router's certificate, as it is now.
        proof: of the snapshots in force now.
        clock: tells when a receipt is issued.
    """

    def __init__(
        self,
        evidence: Evidence,
        leaf: Callable[[], Leaf],
        proof: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._evidence = evidence
        self._leaf = leaf
        self._proof = proof
        self._clock = clock

    async def GetResidencyReport(
        self, request: pb.GetResidencyReportRequest, context: Context
    ) -> pb.GetResidencyReportResponse:
        asked = convert.period(request, self._clock())
        return convert.report(await self._evidence.report(asked))

    async def IssueResidencyReceipt(
        self, request: pb.IssueResidencyReceiptRequest, context: Context
    ) -> pb.IssueResidencyReceiptResponse:
        caller = current_caller()
        now = self._clock()
        asked = convert.period(request, now)
        found = await self._evidence.report_of(caller.tenant_id, asked)
        claims = convert.claims(caller, asked, found, self._proof())
        return pb.IssueResidencyReceiptResponse(receipt=receipt.issue(claims, self._leaf(), now))
