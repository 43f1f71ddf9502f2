"""What never sold is expected to sell as what is like it, in the stores that it goes to."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import numpy as np
import pytest
import pytest_asyncio
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import cold_start_service_pb2 as pb
from hemline.forecast.v1 import cold_start_service_pb2_grpc as pb_grpc

from tests.api.forecast.support import FIRST_DAY, Planner, refused, sales_line
from tests.support.api import Api

WEEKS = 40
STYLES = ("coat", "tee")
COAT = {"category": "coat", "colour": "navy"}


class Launching(Planner):
    """Coats sell 3 a week and size in Berlin, tees 12; Paris sells twice as much."""

    def __init__(self, running: Api, tenant_id: UUID) -> None:
        super().__init__(running, tenant_id)
        self.stub = pb_grpc.ColdStartServiceStub(running.channel)
        self.facts = attributes_grpc.AttributeServiceStub(running.channel)

    async def prepares(self) -> None:
        random, lines, facts = np.random.default_rng(11), [], []
        for number in range(16):
            style = STYLES[number % 2]
            for size in ("S", "M"):
                sku = f"{style.upper()}-{number}-{size}"
                colour = "navy" if number % 4 < 2 else "white"
                attributes = {"category": style, "colour": colour, "size": size}
                row = len(facts) + 1
                facts.append(attributes_pb.AttributeLine(row=row, sku=sku, attributes=attributes))
                for week in range(WEEKS):
                    for store, factor in (("berlin", 1), ("paris", 2)):
                        units = int(random.poisson((3, 12)[number % 2] * factor))
                        if units:
                            day = FIRST_DAY + timedelta(days=7 * (week - 10) + 3)
                            fields = {
                                "store": store,
                                "sku": sku,
                                "product": f"{style}-{number}",
                                "sale_date": day.isoformat(),
                                "units": units,
                            }
                            lines.append(sales_line(len(lines) + 1, **fields))
        await self.imports(lines)

        async def messages() -> AsyncIterator[attributes_pb.ImportAttributesRequest]:
            yield attributes_pb.ImportAttributesRequest(request_id=str(uuid4()), lines=facts)

        await self.facts.ImportAttributes(messages(), metadata=self.metadata)

    async def expects(self, **fields: Any) -> pb.ForecastNewProductResponse:
        request = pb.ForecastNewProductRequest(**{"attributes": COAT, **fields})
        return await self.stub.ForecastNewProduct(request, metadata=self.metadata)


@pytest_asyncio.fixture(scope="session")
async def launching(running: Api) -> Launching:
    made = Launching(running, uuid4())
    await made.prepares()
    return made


async def test_a_coat_is_expected_to_sell_as_coats_do_in_each_store(launching: Launching) -> None:
    found = await launching.expects(horizon_weeks=10)
    berlin, paris = found.forecasts
    assert (berlin.store, paris.store) == ("berlin", "paris")
    # Two sizes of 3 a week, for ten weeks.
    assert berlin.mean_units == pytest.approx(60, rel=0.35)
    assert paris.mean_units / berlin.mean_units == pytest.approx(2, rel=0.3)
    for forecast in found.forecasts:
        assert len(forecast.weekly_mean_units) == 10
        assert sum(forecast.weekly_mean_units) == pytest.approx(forecast.mean_units)
        assert forecast.p10_units < forecast.p50_units < forecast.p90_units
    tee = await launching.expects(attributes={"category": "tee"}, horizon_weeks=10)
    assert tee.forecasts[0].mean_units > 2 * berlin.mean_units
    sizes = {each.size: each for each in found.sizes}
    assert sizes.keys() == {"S", "M"}
    assert sizes["S"].share == pytest.approx(0.5, abs=0.05)
    assert sum(each.mean_units for each in found.sizes) == pytest.approx(
        berlin.mean_units + paris.mean_units
    )
    only = await launching.expects(sizes=["M"])
    assert [(each.size, each.share) for each in only.sizes] == [("M", 1.0)]


async def test_analogues_are_shown_and_can_be_given(launching: Launching) -> None:
    found = await launching.expects()
    assert sum(one.weight for one in found.analogues) <= 1 + 1e-9
    assert found.analogues[0].product.startswith("coat")
    assert found.analogues[0].similarity == 1.0
    tees = [pb.Analogue(product="tee-1", weight=1), pb.Analogue(product="tee-3", weight=3)]
    given = await launching.expects(analogues=tees)
    assert [(one.product, one.weight) for one in given.analogues] == [
        ("tee-3", 0.75),
        ("tee-1", 0.25),
    ]
    assert given.forecasts[0].mean_units > 2 * found.forecasts[0].mean_units


async def test_only_the_stores_asked_for_are_answered(launching: Launching) -> None:
    found = await launching.expects(stores=["paris"])
    assert [one.store for one in found.forecasts] == ["paris"]


async def test_what_is_unknown_is_named(launching: Launching, running: Api) -> None:
    code, reason, metadata, _ = await refused(launching.expects(stores=["rome"]))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "STORE_NOT_FOUND")
    assert metadata["store"] == "rome"
    hat = [pb.Analogue(product="hat", weight=1)]
    code, reason, metadata, _ = await refused(launching.expects(analogues=hat))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ANALOGUE_NOT_FOUND")
    assert metadata["product"] == "hat"
    code, reason, metadata, _ = await refused(launching.expects(sizes=["XXL"]))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "SIZE_NOT_FOUND")
    assert metadata["size"] == "XXL"
    code, reason, _, _ = await refused(Launching(running, uuid4()).expects())
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_SALES")


async def test_fields_that_break_their_rules_are_named(launching: Launching) -> None:
    wrong: dict[str, Any] = {
        "attributes": launching.expects(attributes={}),
        "stores": launching.expects(stores=["-"]),
        "horizon_weeks": launching.expects(horizon_weeks=53),
        "sizes": launching.expects(sizes=["M", "M"]),
    }
    for field, call in wrong.items():
        code, _, _, named = await refused(call)
        assert (code, named) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
    coat = pb.Analogue(product="coat-0", weight=1)
    for analogues in (
        [pb.Analogue(product="coat-0", weight=-1)],
        [pb.Analogue(product="x" * 100_000, weight=1)],
        [coat, coat],
    ):
        code, _, _, named = await refused(launching.expects(analogues=analogues))
        assert (code, named) == (grpc.StatusCode.INVALID_ARGUMENT, ["analogues"])
