"""The API of plans on the wire. Translates and opens the transaction; decides nothing."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, TypeVar

import grpc.aio
from hemline.forecast.v1 import plan_service_pb2 as pb
from hemline.forecast.v1 import plan_service_pb2_grpc as pb_grpc
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.forecast.domain.imports import Imported
from services.forecast.postgres.import_sql import CALENDAR, PROMOTIONS, Target
from services.forecast.stores.lines import KeyedStore
from services.forecast.stores.plans import PlanStore
from services.forecast.wire.convert import plans as convert
from services.forecast.wire.convert.plans import CalendarReader, PromotionsReader
from services.forecast.wire.importer import Importer

Context = grpc.aio.ServicerContext[Any, Any]
Reader = TypeVar("Reader", PromotionsReader, CalendarReader)


class PlanServicer(pb_grpc.PlanServiceServicer):
    def __init__(self, database: Database, clock: Clock, importer: Importer) -> None:
        self._database = database
        self._clock = clock
        self._importer = importer

    async def ImportPromotions(
        self, request_iterator: AsyncIterator[pb.ImportPromotionsRequest], context: Context
    ) -> pb.ImportPromotionsResponse:
        imported = await self._import(request_iterator, PromotionsReader, PROMOTIONS)
        return convert.promotions_response(imported)

    async def ListPromotions(
        self, request: pb.ListPromotionsRequest, context: Context
    ) -> pb.ListPromotionsResponse:
        store, as_of, page = convert.promotions_query_from(request, self._clock())
        async with self._database.transaction() as session:
            found, last = await PlanStore(session).promotions(as_of, store, page)
        return pb.ListPromotionsResponse(
            promotions=[convert.promotion_to(each) for each in found],
            next_page_token=page.token(last),
        )

    async def ImportCalendar(
        self, request_iterator: AsyncIterator[pb.ImportCalendarRequest], context: Context
    ) -> pb.ImportCalendarResponse:
        imported = await self._import(request_iterator, CalendarReader, CALENDAR)
        return convert.calendar_response(imported)

    async def ListCalendar(
        self, request: pb.ListCalendarRequest, context: Context
    ) -> pb.ListCalendarResponse:
        store, as_of, page = convert.calendar_query_from(request, self._clock())
        async with self._database.transaction() as session:
            found, last = await PlanStore(session).events(as_of, store, page)
        return pb.ListCalendarResponse(
            events=[convert.event_to(each) for each in found], next_page_token=page.token(last)
        )

    async def _import(
        self, messages: AsyncIterator[Any], kind: Callable[[datetime], Reader], target: Target
    ) -> Imported:
        readers: list[Reader] = []

        def reading(now: datetime) -> Reader:
            readers.append(kind(now))
            return readers[0]

        def storing(session: AsyncSession, now: datetime) -> KeyedStore:
            return KeyedStore(session, target, now=now, known_time=readers[0].known_time)

        return await self._importer.run(messages, reading, storing)
