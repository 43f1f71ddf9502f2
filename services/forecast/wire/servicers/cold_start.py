"""The cold start API on the wire. Translates and reads; decides nothing."""

import math
from typing import Any

import grpc.aio
from hemline.forecast.v1 import cold_start_service_pb2 as pb
from hemline.forecast.v1 import cold_start_service_pb2_grpc as pb_grpc

from services.chassis.cache import Cache
from services.chassis.database import Database
from services.chassis.fields import CONTROL, Fields
from services.forecast.answers.cold_start import expect
from services.forecast.domain.cold_start import (
    DEFAULT_WEEKS,
    HISTORY_DAYS,
    MOST_ANALOGUES,
    MOST_ATTRIBUTES,
    MOST_STORES,
    MOST_WEEKS,
    MOST_WEIGHT,
    Expected,
    NewProduct,
)
from services.forecast.domain.trends import Question
from services.forecast.fields import is_store
from services.forecast.trend_reader import TrendReader
from services.forecast.wire.convert.trends import ATTRIBUTE, MOST_VALUE

Context = grpc.aio.ServicerContext[Any, Any]


class ColdStartServicer(pb_grpc.ColdStartServiceServicer):
    def __init__(self, database: Database, cache: Cache) -> None:
        self._reader = TrendReader(database, cache)

    async def ForecastNewProduct(
        self, request: pb.ForecastNewProductRequest, context: Context
    ) -> pb.ForecastNewProductResponse:
        wanted = wanted_from(request)
        asked = await self._reader.ask(Question(days=HISTORY_DAYS))
        found = await self._reader.compute(asked.question, lambda read: expect(read, wanted))
        return message_of_expected(found)


def wanted_from(request: pb.ForecastNewProductRequest) -> NewProduct:
    fields = Fields()
    attributes = tuple(sorted(request.attributes.items()))
    good = all(
        ATTRIBUTE.fullmatch(name) and 0 < len(value) <= MOST_VALUE and not CONTROL.search(value)
        for name, value in attributes
    )
    if not 0 < len(attributes) <= MOST_ATTRIBUTES or not good:
        rule = f"must be 1 to {MOST_ATTRIBUTES} names of attributes with printable values."
        fields.refuse("attributes", rule)
    if len(request.stores) > MOST_STORES or not all(map(is_store, request.stores)):
        fields.refuse("stores", f"must be at most {MOST_STORES} names of stores.")
    if not 0 <= request.horizon_weeks <= MOST_WEEKS:
        fields.refuse("horizon_weeks", f"must be 1 to {MOST_WEEKS}, or 0 for {DEFAULT_WEEKS}.")
    analogues = {analogue.product: analogue.weight for analogue in request.analogues}
    fair = all(
        0 < len(product) <= MOST_VALUE
        and not CONTROL.search(product)
        and math.isfinite(weight)
        and 0 < weight <= MOST_WEIGHT
        for product, weight in analogues.items()
    )
    if len(request.analogues) > min(MOST_ANALOGUES, len(analogues)) or not fair:
        rule = f"must be at most {MOST_ANALOGUES} products, each once, with weights above 0, "
        fields.refuse("analogues", f"{rule}at most {MOST_WEIGHT:.0f}.")
    fields.check()
    weeks = request.horizon_weeks or DEFAULT_WEEKS
    stores = tuple(sorted(set(request.stores)))
    return NewProduct(attributes, stores, weeks, tuple(analogues.items()))


def message_of_expected(expected: Expected) -> pb.ForecastNewProductResponse:
    return pb.ForecastNewProductResponse(
        forecasts=[
            pb.NewProductForecast(
                store=store.store,
                mean_units=store.mean,
                p10_units=store.p10,
                p50_units=store.p50,
                p90_units=store.p90,
                weekly_mean_units=store.weekly,
            )
            for store in expected.stores
        ],
        analogues=[pb.Analogue(**analogue._asdict()) for analogue in expected.analogues],
    )
