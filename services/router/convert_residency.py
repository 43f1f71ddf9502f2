"""Residency evidence as messages, and as the claims of a receipt."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hemline.router.v1 import residency_service_pb2 as pb

from services.chassis import wire
from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.tenancy import Caller
from services.router.audit import Violation
from services.router.evidence import VIOLATIONS_SHOWN, Report
from services.router.nodes import Kind
from services.router.store_evidence import EPOCH, KEPT, Period

Asked = pb.GetResidencyReportRequest | pb.IssueResidencyReceiptRequest


def period(request: Asked, now: datetime) -> Period:
    """Reads the period, as far as anything is known of it: what is kept, and not the future.

    Raises:
        InvalidArgument: nothing is left of it.
    """
    oldest = Period(now - KEPT, now).first_hour + timedelta(hours=1)  # The first that is whole.
    start, end = _moment(request, "start_time", oldest), _moment(request, "end_time", now)
    if start >= now:
        raise InvalidArgument(FieldViolation("start_time", "must be in the past"))
    if end <= oldest:
        problem = f"must be within the {KEPT.days} days for which evidence is kept"
        raise InvalidArgument(FieldViolation("end_time", problem))
    if end <= start:
        raise InvalidArgument(FieldViolation("end_time", "must be later than start_time"))
    return Period(max(start, oldest), min(end, now))


def report(found: Report) -> pb.GetResidencyReportResponse:
    violations = sorted(
        (one for region in found.regions for one in region.violations),
        key=lambda one: -one.time_nanos,
    )
    totals = [(region.region, total) for region in found.regions for total in region.totals]
    return pb.GetResidencyReportResponse(
        counts=[
            pb.ResidencyCount(
                token_jurisdiction=total.token_jurisdiction,
                reporter_region=region,
                served_region=total.served_region,
                reporter=total.reporter,
                calls=total.calls,
            )
            for region, total in totals
        ],
        # A call comes in at one edge, and is reported once more by the sidecar that it reaches.
        seen=sum(total.calls for _, total in totals if total.reporter == Kind.EDGE),
        violations=_violations(found),
        evidence=[_violation(one) for one in violations[:VIOLATIONS_SHOWN]],
        unreachable=found.unreachable,
    )


def claims(caller: Caller, asked: Period, found: Report, proof: str) -> dict[str, Any]:
    """What a receipt says, but for who signs it and when."""
    totals = [(region.region, total) for region in found.regions for total in region.totals]
    served = [
        {
            "reporter": total.reporter,
            "reporter_region": region,
            "served_region": total.served_region,
            "calls": total.calls,
        }
        for region, total in totals
    ]
    return {
        "tenant": str(caller.tenant_id),
        "jurisdiction": caller.jurisdiction,
        "start": asked.first_hour.isoformat(),
        "end": asked.end.isoformat(),
        "reporting_regions": sorted(region.region for region in found.regions),
        "served": sorted(served, key=lambda one: [str(value) for value in one.values()]),
        "violations": _violations(found),
        "proof": proof,
    }


def _violations(found: Report) -> int:
    """How many calls, of which an edge and a sidecar may both have reported the same one.

    Not what edges say alone: what only sidecars have seen must not look like none.
    """
    counts = Counter[str]()
    for region in found.regions:
        for total in region.totals:
            counts[total.reporter] += total.violations
    return max(counts.values(), default=0)


def _violation(found: Violation) -> pb.ResidencyViolation:
    return pb.ResidencyViolation(
        time=wire.to_timestamp(EPOCH + timedelta(microseconds=found.time_nanos // 1000)),
        token_jurisdiction=found.token_jurisdiction,
        served_region=found.served_region,
        node=found.node,
        method=found.method,
        trace_id=found.trace_id,
    )


def _moment(request: Asked, name: str, default: datetime) -> datetime:
    if not request.HasField(name):  # type: ignore[arg-type]  # Both messages have both fields.
        return default
    try:
        found = wire.to_datetime(getattr(request, name))
    except (ValueError, OverflowError):
        raise InvalidArgument(FieldViolation(name, "is no moment that exists")) from None
    return found
