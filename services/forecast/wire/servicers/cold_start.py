"""The cold start API on the wire. Translates and reads; decides nothing."""

from typing import Any

import grpc.aio
from hemline.forecast.v1 import cold_start_service_pb2 as pb
from hemline.forecast.v1 import cold_start_service_pb2_grpc as pb_grpc

from services.chassis.cache import Cache
from services.chassis.database import Database
from services.forecast.answers.cold_start import expect
from services.forecast.domain.cold_start import HISTORY_DAYS
from services.forecast.domain.trends import Question
from services.forecast.trend_reader import TrendReader
from services.forecast.wire.convert import cold_start as convert

Context = grpc.aio.ServicerContext[Any, Any]


class ColdStartServicer(pb_grpc.ColdStartServiceServicer):
    def __init__(self, database: Database, cache: Cache) -> None:
        self._reader = TrendReader(database, cache)

    async def ForecastNewProduct(
        self, request: pb.ForecastNewProductRequest, context: Context
    ) -> pb.ForecastNewProductResponse:
        wanted = convert.wanted_from(request)
        asked = await self._reader.ask(Question(days=HISTORY_DAYS))
        found = await self._reader.compute(asked.question, lambda read: expect(read, wanted))
        return convert.message_of_expected(found)
