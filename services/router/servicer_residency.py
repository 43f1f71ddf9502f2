"""The residency evidence on the wire."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio
from hemline.router.v1 import residency_service_pb2 as pb
from hemline.router.v1 import residency_service_pb2_grpc as pb_grpc

from services.chassis.clock import Clock, utc_now
from services.chassis.database import Database
from services.chassis.server import Served
from services.chassis.tenancy import current_caller
from services.router import convert_residency as convert
from services.router import receipt, spiffe
from services.router.access_logs import AccessLogServicer
from services.router.ads_server import Register
from services.router.audit import Auditor
from services.router.errors import ProofMissing
from services.router.evidence import Evidence
from services.router.leaf import Leaf
from services.router.translate import Facts

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
        proof = self._proof()
        if not proof:
            raise ProofMissing("This router has no snapshot in force yet. Retry.")
        claims = convert.claims(caller, asked, found, proof)
        return pb.IssueResidencyReceiptResponse(receipt=receipt.issue(claims, self._leaf(), now))


@dataclass(frozen=True, slots=True)
class Auditing:
    """The residency audit of a router, running."""

    register: Register  # At the server that proxies talk to.
    served: Served


@asynccontextmanager
async def auditing(
    database: Database, facts: Callable[[], Facts], proof: Callable[[], str]
) -> AsyncIterator[Auditing]:
    """Runs the audit until left; then what it has counted is kept.

    Args:
        database: the router's, of the jurisdiction's regions.
        facts: as they are now.
        proof: of the snapshots in force now.
    """
    now = facts()
    region = now.topology.regions[now.region]
    auditor = Auditor(now.topology, now.endpoints, now.region, [one.path for one in now.methods])
    evidence = Evidence(database, auditor, now.region, utc_now)

    def leaf() -> Leaf:
        return facts().certificates.leaves[spiffe.router(region)]

    servicer = ResidencyServicer(evidence, leaf, proof, utc_now)
    async with evidence.keeping():
        yield Auditing(
            AccessLogServicer(auditor, region).register,
            Served(
                pb.DESCRIPTOR.services_by_name["ResidencyService"],
                pb_grpc.add_ResidencyServiceServicer_to_server,
                servicer,
            ),
        )
