"""What a report and a receipt make of counts that two kinds of proxies have made."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.router import convert_residency as convert
from services.router.evidence import RegionEvidence, Report
from services.router.nodes import Kind
from services.router.store_evidence import Period, Total
from tests.support.tokens import caller

EU = ("eu-central-1", "eu-west-1")
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
