"""What planners change is served, kept apart from what the system says, and scored afterwards."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from math import isnan
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
import pytest_asyncio
from hemline.forecast.v1 import forecast_service_pb2 as forecast_pb
from hemline.forecast.v1 import job_service_pb2 as jobs_pb
from hemline.forecast.v1 import override_service_pb2 as pb
from hemline.forecast.v1 import override_service_pb2_grpc as pb_grpc

from deploy.local.postgres import Postgres
from services.forecast import overrides
from tests.api.forecast.support import FIRST_DAY, Planner, refused, sales_line, season
from tests.api.forecast.test_jobs import create, ended
from tests.support.api import Api

NAME = "stores/berlin/forecasts/SKU-2"
SUBJECT = pb.OverrideSubject(store="berlin", sku="SKU-2")


class Overriding(Planner):
    """A planner whose forecasts are there."""

    cutoff: date

    def __init__(self, running: Api, tenant_id: Any) -> None:
        super().__init__(running, tenant_id)
        self.overrides = pb_grpc.OverrideServiceStub(running.channel)

    def day(self, ahead: int) -> str:
        return (self.cutoff + timedelta(days=ahead)).isoformat()

    async def says(self, request_id: str | None = None, **fields: Any) -> pb.Override:
        good = {
            "subject": SUBJECT,
            "start_date": self.day(2),
            "end_date": self.day(3),
            "reason": "a school holiday",
        }
        wanted = pb.Override(**{**good, **fields})
        request = pb.CreateOverrideRequest(override=wanted, request_id=request_id or str(uuid4()))
        return (await self.overrides.CreateOverride(request, metadata=self.metadata)).override

    async def takes_back(self, name: str) -> pb.Override:
        request = pb.DeleteOverrideRequest(name=name, request_id=str(uuid4()))
        return (await self.overrides.DeleteOverride(request, metadata=self.metadata)).override

    async def sums_up(self) -> pb.SummarizeOverridesResponse:
        request = pb.SummarizeOverridesRequest(start_date="2026-01-01")
        return await self.overrides.SummarizeOverrides(request, metadata=self.metadata)

    async def all(self, **fields: Any) -> pb.ListOverridesResponse:
        request = pb.ListOverridesRequest(**fields)
        return await self.overrides.ListOverrides(request, metadata=self.metadata)


@pytest_asyncio.fixture
async def planner(running: Api) -> AsyncIterator[Overriding]:
    made = Overriding(running, uuid4())
    await made.imports(season())
    made.cutoff = date.fromisoformat((await made.runs(horizon_days=7)).cutoff_date)
    yield made


def means(forecast: forecast_pb.Forecast) -> list[float]:
    return [day.mean_units for day in forecast.days]


async def test_a_total_is_spread_as_the_system_would_and_the_system_s_number_stays(
    planner: Overriding,
) -> None:
    before = await planner.gets(NAME)
    made = await planner.says(total_units=30.0)
    after = await planner.gets(NAME)
    assert list(after.overrides) == [made.name]
    assert [day.system_mean_units for day in after.days] == pytest.approx(means(before))
    assert sum(means(after)[1:3]) == pytest.approx(30, rel=1e-5)
    assert means(after)[1] / means(after)[2] == pytest.approx(
        means(before)[1] / means(before)[2], rel=1e-4
    )
    assert means(after)[3:] == pytest.approx(means(before)[3:])
    assert after.horizon_mean_units == pytest.approx(sum(means(after)), rel=1e-5)
    assert made.system_units == pytest.approx(sum(means(before)[1:3]), rel=1e-5)
    for day in after.days:
        assert day.p10_units <= day.p50_units <= day.p90_units


async def test_a_factor_covers_every_series_of_a_product_in_all_stores(planner: Overriding) -> None:
    product = (await planner.gets(NAME)).product
    await planner.says(subject=pb.OverrideSubject(product=product), factor=2.0)
    for forecast in (await planner.lists()).forecasts:
        ratios = [day.mean_units / max(day.system_mean_units, 1e-9) for day in forecast.days[1:3]]
        expected = 2.0 if forecast.product == product else 1.0
        assert ratios == pytest.approx([expected] * 2, rel=1e-5) or forecast.days[1].mean_units == 0


async def test_the_newer_counts_where_two_meet_and_none_when_it_is_taken_back(
    planner: Overriding,
) -> None:
    before = means(await planner.gets(NAME))
    await planner.says(factor=3.0, end_date=planner.day(4))
    newer = await planner.says(factor=0.0)
    changed = means(await planner.gets(NAME))
    assert changed[1:3] == [0.0, 0.0]
    assert changed[3] == pytest.approx(3 * before[3], rel=1e-5)
    gone = await planner.takes_back(newer.name)
    assert gone.HasField("delete_time")
    assert means(await planner.gets(NAME))[1] == pytest.approx(3 * before[1], rel=1e-5)
    again = await planner.takes_back(newer.name)
    assert again == gone


async def test_an_override_is_scored_by_what_sold(planner: Overriding) -> None:
    made = await planner.says(total_units=10.0, end_date=planner.day(2))
    assert not made.HasField("score")
    name = f"R-after-{uuid4().hex[:8]}"
    sold = [
        sales_line(1, document=name, sku="SKU-2", sale_date=planner.day(2), units=8),
        sales_line(2, document=name, sku="SKU-2", sale_date=planner.day(3), units=99),
    ]
    await planner.imports(sold)
    (found,) = (await planner.all()).overrides
    assert found.score.actual_units == 8
    assert found.score.override_error_units == pytest.approx(2, rel=1e-5)
    assert found.score.system_error_units == pytest.approx(abs(8 - found.system_units), rel=1e-5)
    assert found.score.value_added == pytest.approx(
        1 - found.score.override_error_units / found.score.system_error_units
    )
    summary = await planner.sums_up()
    assert (summary.overrides, summary.better) == (1, int(found.score.value_added > 0))
    assert summary.score == found.score


async def test_a_summary_is_of_what_is_known_now(planner: Overriding) -> None:
    names = [(await planner.says(total_units=10.0)).name for _ in range(2)]
    assert (await planner.sums_up()).overrides == 0
    sold = [
        sales_line(row, document="after", sku="SKU-2", sale_date=planner.day(ahead), units=units)
        for row, (ahead, units) in enumerate([(2, 8), (3, 99), (4, 1)], start=1)
    ]
    await planner.imports(sold)
    each = [found.score for found in (await planner.all()).overrides]
    assert [score.actual_units for score in each] == [107, 107]
    both = await planner.sums_up()
    assert (both.overrides, both.score.actual_units) == (2, 214)
    assert both.score.override_error_units == pytest.approx(2 * each[0].override_error_units)
    await planner.takes_back(names[0])
    assert (await planner.sums_up()).overrides == 1


async def test_what_was_said_of_weeks_is_scored_by_weeks_and_says_nothing_of_days(
    running: Api,
) -> None:
    planner = Overriding(running, uuid4())
    sunday = (FIRST_DAY + timedelta(days=83)).isoformat()
    await planner.imports([*season(), sales_line(10_000, sku="ANY", sale_date=sunday)])
    weekly = jobs_pb.JobSpec(
        kind=jobs_pb.JOB_KIND_FORECAST, period=jobs_pb.FORECAST_PERIOD_WEEK, horizon=3
    )
    await ended(planner, (await create(planner, weekly)).name)
    planner.cutoff = date.fromisoformat((await planner.lists()).forecast_run.cutoff_date)
    short = planner.says(factor=2.0, start_date=planner.day(1), end_date=planner.day(6))
    assert (await refused(short))[3] == ["override.start_date"]
    await planner.says(total_units=70.0, start_date=planner.day(1), end_date=planner.day(14))
    assert sum(means(await planner.gets(NAME))[:2]) == pytest.approx(70)
    await planner.runs(horizon_days=14)
    assert not (await planner.gets(NAME)).overrides
    sold = [
        sales_line(row, document="after", sku="SKU-2", sale_date=planner.day(ahead), units=units)
        for row, (ahead, units) in enumerate([(1, 20), (7, 5), (8, 30), (14, 3), (15, 99)], start=1)
    ]
    await planner.imports(sold)
    (found,) = (await planner.all()).overrides
    assert found.score.actual_units == 58
    # Each week is near 35: 25 sold in the first, 33 in the second.
    assert found.score.override_error_units == pytest.approx(12, abs=5)


async def test_units_are_added_up_in_full_precision(planner: Overriding, server: Postgres) -> None:
    with psycopg.connect(server.owner_url("forecast")) as connection:
        setting = str(planner.tenant_id)
        connection.execute("SELECT set_config('hemline.tenant_id', %s, true)", (setting,))
        connection.execute(
            "UPDATE forecast_series SET mean[2] ="
            " CASE WHEN store = 'berlin' AND sku = 'SKU-0' THEN 16777216 ELSE 1 END"
        )
    berlin = pb.OverrideSubject(store="berlin")
    made = await planner.says(subject=berlin, factor=2.0, end_date=planner.day(2))
    assert made.system_units == 16777216 + 3
    tiny = await planner.says(subject=berlin, total_units=1e-60, end_date=planner.day(2))
    assert tiny.total_units == 1e-60
    assert means(await planner.gets(NAME))[1] == 0


async def test_the_summary_of_nothing_adds_no_value(planner: Overriding) -> None:
    request = pb.SummarizeOverridesRequest()
    summary = await planner.overrides.SummarizeOverrides(request, metadata=planner.metadata)
    assert summary.overrides == 0
    assert isnan(summary.score.value_added)


async def test_a_retry_gets_the_first_answer_and_another_wish_is_refused(
    planner: Overriding,
) -> None:
    name = str(uuid4())
    first = await planner.says(name, factor=2.0)
    assert await planner.says(name, factor=2.0) == first
    assert len((await planner.all()).overrides) == 1
    code, reason, _, _ = await refused(planner.says(name, factor=3.0))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_pages_hold_each_override_once_newest_first(planner: Overriding) -> None:
    made = [(await planner.says(factor=float(number))).name for number in range(3)]
    first = await planner.all(page_size=2)
    second = await planner.all(page_size=2, page_token=first.next_page_token)
    found = [override.name for override in [*first.overrides, *second.overrides]]
    assert found == made[::-1]
    assert not second.next_page_token
    await planner.takes_back(made[0])
    assert len((await planner.all(only_active=True)).overrides) == 2


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("override.subject", {"subject": pb.OverrideSubject()}),
    ("override.subject.sku", {"subject": pb.OverrideSubject(sku="a b")}),
    ("override.subject", {"subject": pb.OverrideSubject(sku="A", product="b")}),
    ("override.start_date", {"start_date": "soon"}),
    ("override.start_date", {"start_date": "20260601"}),
    ("override.end_date", {"end_date": "2026-01-01"}),
    ("override.factor", {"factor": 101.0}),
    ("override.factor", {"factor": float("nan")}),
    ("override.total_units", {"total_units": -1.0}),
    ("override.reason", {"reason": ""}),
]


async def test_a_field_that_breaks_its_rule_is_named(planner: Overriding) -> None:
    for field, fields in WRONG:
        change = {} if {"factor", "total_units"} & set(fields) else {"factor": 2.0}
        code, _, _, named = await refused(planner.says(**{**change, **fields}))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert field in named


async def test_days_beyond_the_forecast_and_unknown_subjects_are_refused(
    planner: Overriding,
) -> None:
    _, _, _, named = await refused(planner.says(factor=2.0, end_date=planner.day(8)))
    assert named == ["override.start_date"]
    unknown = pb.OverrideSubject(sku="NEVER-SOLD")
    code, reason, _, _ = await refused(planner.says(factor=2.0, subject=unknown))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "FORECAST_NOT_FOUND")
    assert not (await planner.all()).overrides


@pytest.mark.parametrize("limit", ["MOST_ACTIVE", "MOST_SERIES"])
async def test_overrides_of_days_to_come_are_limited(
    planner: Overriding, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(overrides, limit, 2)
    first, _ = [await planner.says(factor=2.0) for _ in range(2)]
    code, reason, _, _ = await refused(planner.says(factor=3.0))
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_OVERRIDES")
    assert len((await planner.all()).overrides) == 2
    await planner.takes_back(first.name)
    await planner.says(factor=3.0)


async def test_overrides_of_another_tenant_are_neither_seen_nor_changed(
    planner: Overriding, running: Api
) -> None:
    made = await planner.says(factor=2.0)
    other = Overriding(running, uuid4())
    other.cutoff = planner.cutoff
    code, reason, _, _ = await refused(other.takes_back(made.name))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "OVERRIDE_NOT_FOUND")
    assert not (await other.all()).overrides
    assert list((await planner.gets(NAME)).overrides) == [made.name]
