"""A forecast is taken apart without remainder, and other plans are tried on it."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import numpy as np
import psycopg
import pytest
import pytest_asyncio
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import explanation_service_pb2 as pb
from hemline.forecast.v1 import explanation_service_pb2_grpc as pb_grpc
from hemline.forecast.v1 import override_service_pb2 as override_pb
from hemline.forecast.v1 import override_service_pb2_grpc as override_grpc
from hemline.forecast.v1 import plan_service_pb2 as plan_pb
from hemline.forecast.v1 import plan_service_pb2_grpc as plan_grpc

from deploy.local.postgres import Postgres
from tests.api.forecast.support import FIRST_DAY, Planner, refused, sales_line
from tests.support.api import Api

DAYS, HORIZON = 140, 14
SKUS = 6
NAME = "stores/berlin/forecasts/SKU-1"


def promoted(day: int) -> bool:
    """Four days in four weeks; the next begins on the third day that is forecast."""
    return (day - DAYS) % 28 in range(2, 6)


class Explaining(Planner):
    """A planner whose promotions sell three times as much, at a fifth off the price.

    SKU-4 sells twice as much as the others.
    """

    cutoff: date

    def __init__(self, running: Api, tenant_id: UUID) -> None:
        super().__init__(running, tenant_id)
        self.explanations = pb_grpc.ExplanationServiceStub(running.channel)
        self.overrides = override_grpc.OverrideServiceStub(running.channel)
        self.plans = plan_grpc.PlanServiceStub(running.channel)
        self.facts = attributes_grpc.AttributeServiceStub(running.channel)

    async def prepares(self, *, gifts: bool = False) -> None:
        random, lines = np.random.default_rng(3), []
        for day in range(DAYS):
            for sku in range(SKUS):
                on = promoted(day)
                units = int(random.poisson((12 if sku == 4 else 6) * (3 if on else 1)))
                if units:
                    fields = {
                        "sku": f"SKU-{sku}",
                        "product": f"product-{sku}",
                        "sale_date": (FIRST_DAY + timedelta(days=day)).isoformat(),
                        "units": units,
                        "unit_price_micros": 8_000_000 if on else 10_000_000,
                    }
                    lines.append(sales_line(len(lines) + 1, **fields))
            if gifts:
                fields = {"sku": "GIFT", "product": "gift", "unit_price_micros": 0}
                today = (FIRST_DAY + timedelta(days=day)).isoformat()
                lines.append(sales_line(len(lines) + 1, sale_date=today, **fields))
        await self.imports(lines)
        await self._plan()
        run = await self.runs(horizon_days=HORIZON)
        self.cutoff = date.fromisoformat(run.cutoff_date)

    async def _plan(self) -> None:
        starts = [day for day in range(DAYS + HORIZON) if promoted(day) and not promoted(day - 1)]
        lines = [
            plan_pb.PromotionLine(
                row=row,
                promotion=f"offer-{row}",
                store="-",
                scope="all",
                start_date=(FIRST_DAY + timedelta(days=start)).isoformat(),
                end_date=(FIRST_DAY + timedelta(days=start + 3)).isoformat(),
                kind="offer",
                discount_share=0.2,
            )
            for row, start in enumerate(starts, start=1)
        ]

        async def messages() -> AsyncIterator[plan_pb.ImportPromotionsRequest]:
            yield plan_pb.ImportPromotionsRequest(request_id=str(uuid4()), lines=lines)

        await self.plans.ImportPromotions(messages(), metadata=self.metadata)

    async def describes(self, **sizes: str) -> None:
        """Makes SKUs the sizes of one choice."""
        of_all = {"style": "shirt", "colour": "navy"}
        lines = [
            attributes_pb.AttributeLine(row=row, sku=sku, attributes=of_all | {"size": size})
            for row, (sku, size) in enumerate(sizes.items(), start=1)
        ]

        async def messages() -> AsyncIterator[attributes_pb.ImportAttributesRequest]:
            yield attributes_pb.ImportAttributesRequest(request_id=str(uuid4()), lines=lines)

        await self.facts.ImportAttributes(messages(), metadata=self.metadata)

    def day(self, ahead: int) -> str:
        return (self.cutoff + timedelta(days=ahead)).isoformat()

    async def explains(self, name: str = NAME) -> pb.Explanation:
        request = pb.ExplainForecastRequest(name=name)
        answer = await self.explanations.ExplainForecast(request, metadata=self.metadata)
        return answer.explanation

    async def tries(self, *changes: pb.PlanChange, name: str = NAME) -> pb.SimulateForecastResponse:
        request = pb.SimulateForecastRequest(name=name, changes=changes)
        return await self.explanations.SimulateForecast(request, metadata=self.metadata)


@pytest_asyncio.fixture(scope="session")
async def explaining(running: Api) -> Explaining:
    made = Explaining(running, uuid4())
    await made.prepares()
    return made


def part(components: Any, wanted: int) -> float:
    return sum(one.units for one in components if one.part == wanted)


async def test_the_parts_of_each_day_add_up_to_its_mean(explaining: Explaining) -> None:
    forecast = await explaining.gets(NAME)
    found = await explaining.explains()
    assert [period.date for period in found.periods] == [day.date for day in forecast.days]
    for period, day in zip(found.periods, forecast.days, strict=True):
        assert period.mean_units == pytest.approx(day.mean_units, rel=1e-6)
        total = sum(one.units for one in period.components)
        assert total == pytest.approx(period.mean_units, rel=1e-6, abs=1e-9)
    summed = sum(one.units for one in found.total)
    assert summed == pytest.approx(sum(day.mean_units for day in forecast.days), rel=1e-6)
    assert found.sentences


async def test_promotions_count_on_their_days(explaining: Explaining) -> None:
    found = await explaining.explains()
    caused = [
        part(period.components, pb.FORECAST_PART_PROMOTION)
        + part(period.components, pb.FORECAST_PART_PRICE)
        for period in found.periods
    ]
    # Days 3 to 6 of the horizon are planned.
    assert min(caused[2:6]) > 3
    assert max(abs(units) for units in caused[:2] + caused[7:]) < 3


async def test_what_planners_changed_is_a_part_of_its_own(explaining: Explaining) -> None:
    name = "stores/berlin/forecasts/SKU-2"
    before = await explaining.explains(name)
    override = override_pb.Override(
        subject=override_pb.OverrideSubject(sku="SKU-2"),
        start_date=explaining.day(1),
        end_date=explaining.day(1),
        factor=2.0,
        reason="a fair",
    )
    request = override_pb.CreateOverrideRequest(override=override, request_id=str(uuid4()))
    await explaining.overrides.CreateOverride(request, metadata=explaining.metadata)
    first = (await explaining.explains(name)).periods[0]
    expected = before.periods[0].mean_units
    assert part(first.components, pb.FORECAST_PART_OVERRIDE) == pytest.approx(expected, rel=1e-5)
    assert first.mean_units == pytest.approx(2 * expected, rel=1e-5)


async def test_what_a_size_sells_beside_the_others_is_a_part_of_its_own(
    explaining: Explaining,
) -> None:
    names = [f"stores/berlin/forecasts/SKU-{number}" for number in (3, 4)]
    before = [await explaining.explains(name) for name in names]
    await explaining.describes(**{"SKU-3": "M"})
    assert await explaining.explains(names[0]) == before[0]
    await explaining.describes(**{"SKU-4": "L"})
    after = [await explaining.explains(name) for name in names]
    levels = [part(one.total, pb.FORECAST_PART_LEVEL) for one in before]
    shares = [part(one.total, pb.FORECAST_PART_SIZE_SHARE) for one in after]
    assert shares[0] == pytest.approx((levels[0] - levels[1]) / 2)
    assert shares[1] == pytest.approx(-shares[0])
    assert shares[1] > 20
    for one, size, level in zip(after, "ML", levels, strict=True):
        assert part(one.total, pb.FORECAST_PART_LEVEL) == pytest.approx(sum(levels) / 2)
        for period in one.periods:
            total = sum(component.units for component in period.components)
            assert total == pytest.approx(period.mean_units, rel=1e-6, abs=1e-9)
        times = level / (sum(levels) / 2)
        said = f"Size {size} sells {times:.3g} times an average size of this choice"
        assert any(sentence.startswith(said) for sentence in one.sentences)


async def test_without_its_promotion_less_is_expected_and_only_then(explaining: Explaining) -> None:
    change = pb.PlanChange(
        start_date=explaining.day(1), end_date=explaining.day(HORIZON), no_promotion=True
    )
    found = await explaining.tries(change)
    planned = [day.mean_units for day in found.planned.days]
    tried = [day.mean_units for day in found.simulated.days]
    assert max(tried[at] / planned[at] for at in range(2, 6)) < 0.6
    assert tried[:2] == pytest.approx(planned[:2], rel=1e-3)
    assert found.difference_units == pytest.approx(sum(tried) - sum(planned), rel=1e-4)
    assert found.difference_units < -10
    for day in found.simulated.days:
        assert day.p10_units <= day.p50_units <= day.p90_units


async def test_a_promotion_that_is_tried_sells_more_on_its_days(explaining: Explaining) -> None:
    change = pb.PlanChange(
        start_date=explaining.day(10),
        end_date=explaining.day(11),
        promotion_kind="offer",
        discount_share=0.2,
    )
    found = await explaining.tries(change)
    ratios = [
        tried.mean_units / planned.mean_units
        for planned, tried in zip(found.planned.days, found.simulated.days, strict=True)
    ]
    assert min(ratios[9:11]) > 1.5
    assert ratios[:9] == pytest.approx([1.0] * 9, rel=1e-6)
    assert not found.notes
    unknown = pb.PlanChange(
        start_date=explaining.day(10), end_date=explaining.day(11), promotion_kind="raffle"
    )
    assert "raffle" in (await explaining.tries(unknown)).notes[0]


async def test_prices_are_tried_where_regular_ones_never_changed_or_are_not_known(
    running: Api,
) -> None:
    # Beside what was never paid for, the model follows prices, but no regular ones.
    planner = Explaining(running, uuid4())
    await planner.prepares(gifts=True)
    days: dict[str, Any] = {"start_date": planner.day(1), "end_date": planner.day(HORIZON)}
    price = pb.PlanChange(**days, unit_price_micros=5_000_000)
    gift = await planner.tries(price, name="stores/berlin/forecasts/GIFT")
    most = max(day.mean_units for day in gift.planned.days)
    assert all(0 <= day.mean_units < 10 * most for day in gift.simulated.days)
    without = await planner.tries(pb.PlanChange(**days, no_promotion=True))
    offer = await planner.tries(pb.PlanChange(**days, promotion_kind="offer", discount_share=0.2))
    usual = [day.mean_units for day in without.simulated.days]
    promoted = [day.mean_units for day in offer.simulated.days]
    assert min(high / low for high, low in zip(promoted, usual, strict=True)) > 1.8


async def test_a_plan_that_breaks_a_rule_is_refused_by_name(explaining: Explaining) -> None:
    days: dict[str, Any] = {"start_date": explaining.day(1), "end_date": explaining.day(2)}
    wrong = {
        "changes": [],
        "changes[0].unit_price_micros": [pb.PlanChange(**days)],
        "changes[0].discount_share": [
            pb.PlanChange(**days, promotion_kind="offer", discount_share=2)
        ],
        "changes[0].end_date": [
            pb.PlanChange(start_date=days["end_date"], end_date="2020-01-01", no_promotion=True)
        ],
        "changes[0].start_date": [
            pb.PlanChange(start_date="2020-01-01", end_date="2020-01-02", no_promotion=True)
        ],
    }
    for field, changes in wrong.items():
        code, _, _, named = await refused(explaining.tries(*changes))
        assert (code, named) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


async def test_what_never_sold_and_what_has_no_state_cannot_be_explained(
    explaining: Explaining, server: Postgres
) -> None:
    code, reason, _, _ = await refused(explaining.explains("stores/berlin/forecasts/NOTHING"))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "FORECAST_NOT_FOUND")
    with psycopg.connect(server.owner_url("forecast")) as connection:
        setting = str(explaining.tenant_id)
        connection.execute("SELECT set_config('hemline.tenant_id', %s, true)", (setting,))
        connection.execute("UPDATE forecast_series SET state = NULL WHERE sku = 'SKU-5'")
    code, reason, _, _ = await refused(explaining.explains("stores/berlin/forecasts/SKU-5"))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_STATE")
