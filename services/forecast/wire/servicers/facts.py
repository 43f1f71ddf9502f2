"""The APIs of attributes and stock days on the wire. They translate and open the transaction."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import stock_day_service_pb2 as stock_pb
from hemline.forecast.v1 import stock_day_service_pb2_grpc as stock_grpc

from services.chassis.database import Database
from services.forecast.postgres.import_sql import ATTRIBUTES, STOCK_DAYS
from services.forecast.stores.facts import FactStore
from services.forecast.stores.lines import KeyedStore
from services.forecast.wire.convert import facts as convert
from services.forecast.wire.importer import Importer

Context = grpc.aio.ServicerContext[Any, Any]


class AttributeServicer(attributes_grpc.AttributeServiceServicer):
    def __init__(self, database: Database, importer: Importer) -> None:
        self._database = database
        self._importer = importer

    async def ImportAttributes(
        self,
        request_iterator: AsyncIterator[attributes_pb.ImportAttributesRequest],
        context: Context,
    ) -> attributes_pb.ImportAttributesResponse:
        imported = await self._importer.run(
            request_iterator,
            convert.AttributesReader,
            lambda session, now: KeyedStore(session, ATTRIBUTES, now=now),
        )
        return convert.attributes_response(imported)

    async def ListAttributes(
        self, request: attributes_pb.ListAttributesRequest, context: Context
    ) -> attributes_pb.ListAttributesResponse:
        subject, page = convert.attributes_query_from(request)
        async with self._database.transaction() as session:
            found, last = await FactStore(session).attributes(subject, page)
        return attributes_pb.ListAttributesResponse(
            attributes=[convert.attributes_to(*each) for each in found.items()],
            next_page_token=page.token(last),
        )


class StockDayServicer(stock_grpc.StockDayServiceServicer):
    def __init__(self, database: Database, importer: Importer) -> None:
        self._database = database
        self._importer = importer

    async def ImportStockDays(
        self, request_iterator: AsyncIterator[stock_pb.ImportStockDaysRequest], context: Context
    ) -> stock_pb.ImportStockDaysResponse:
        imported = await self._importer.run(
            request_iterator,
            convert.StockDaysReader,
            lambda session, now: KeyedStore(session, STOCK_DAYS, now=now),
        )
        return convert.stock_response(imported)

    async def ListStockDays(
        self, request: stock_pb.ListStockDaysRequest, context: Context
    ) -> stock_pb.ListStockDaysResponse:
        store, sku, page = convert.stock_query_from(request)
        async with self._database.transaction() as session:
            found, last = await FactStore(session).stock_days(store, sku, page)
        return stock_pb.ListStockDaysResponse(
            stock_days=[convert.stock_day_to(each) for each in found],
            next_page_token=page.token(last),
        )
