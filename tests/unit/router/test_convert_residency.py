"""What a report and a receipt make of counts that two kinds of proxies have made."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hemline.router.v1 import residency_service_pb2 as pb

from services.chassis.errors import InvalidArgument
from services.router import convert_residency as convert
from services.router.evidence import RegionEvidence, Report
from services.router.nodes import Kind
from services.router.store_evidence import KEPT, Period, Total
from tests.support.tokens import caller

EU = ("eu-central-1", "eu-west-1")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DAY = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


def found(*violations: tuple[Kind, int]) -> Report:
    """Ten calls at each of these proxies, the first of them in the first region of the two."""
    return Report(
        [
            RegionEvidence(region, [Total("EU", region, kind.value, 10, count)], ())
            for region, (kind, count) in zip(EU, violations, strict=True)
        ],
        (),
    )


@pytest.mark.parametrize(
    ("report", "violations"),
    [
        (found((Kind.EDGE, 2), (Kind.SIDECAR, 2)), 2),
        # No proxy is believed more than another.
        (found((Kind.EDGE, 3), (Kind.SIDECAR, 0)), 3),
        (found((Kind.EDGE, 0), (Kind.SIDECAR, 3)), 3),
        (found((Kind.EDGE, 1), (Kind.EDGE, 2)), 3),
        (found((Kind.EDGE, 0), (Kind.SIDECAR, 0)), 0),
    ],
)
def test_a_violation_that_two_proxies_report_of_one_call_is_one(
    report: Report, violations: int
) -> None:
    assert convert.report(report).violations == violations
    someone = caller(tenant_id=uuid4(), home_region=EU[0])
    assert convert.claims(someone, DAY, report, "ab" * 32)["violations"] == violations


def utc(year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def asked(start: datetime | None, end: datetime | None) -> pb.IssueResidencyReceiptRequest:
    request = pb.IssueResidencyReceiptRequest()
    for moment, field in ((start, request.start_time), (end, request.end_time)):
        if moment is not None:
            field.FromDatetime(moment)
    return request


@pytest.mark.parametrize("request_", [asked(None, None), asked(utc(1970), utc(2099))])
def test_a_period_is_no_longer_than_something_is_known_of(
    request_: pb.IssueResidencyReceiptRequest,
) -> None:
    period = convert.period(request_, NOW)
    assert period.end == NOW
    assert NOW - KEPT <= period.first_hour <= NOW - KEPT + timedelta(hours=1)


def test_a_period_in_between_is_as_asked() -> None:
    request = asked(utc(2026, 2, 1, 8, 15), utc(2026, 2, 3))
    period = convert.period(request, NOW)
    assert (period.start, period.end) == (
        utc(2026, 2, 1, 8, 15),
        utc(2026, 2, 3),
    )


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (utc(2027), None, "start_time"),
        (utc(2027), utc(2028), "start_time"),
        (None, utc(2020), "end_time"),
        (utc(2026, 2, 2), utc(2026, 2, 1), "end_time"),
    ],
)
def test_a_period_of_which_nothing_is_known_is_refused(
    start: datetime, end: datetime | None, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        convert.period(asked(start, end), NOW)
    assert [one.field for one in refused.value.violations] == [field]


def test_a_receipt_names_the_regions_that_have_reported() -> None:
    someone = caller(tenant_id=uuid4(), home_region=EU[0])
    report = found((Kind.EDGE, 0), (Kind.SIDECAR, 0))
    claims = convert.claims(someone, DAY, report, "ab" * 32)
    assert claims["reporting_regions"] == list(EU)
