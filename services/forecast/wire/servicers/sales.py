"""The sales API on the wire. Translates; decides nothing."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from hemline.forecast.v1 import sales_service_pb2 as pb
from hemline.forecast.v1 import sales_service_pb2_grpc as pb_grpc

from services.forecast.stores.sales import SalesStore
from services.forecast.wire.convert.sales import SalesReader, response_from
from services.forecast.wire.importer import Importer

Context = grpc.aio.ServicerContext[Any, Any]


class SalesServicer(pb_grpc.SalesServiceServicer):
    def __init__(self, importer: Importer) -> None:
        self._importer = importer

    async def ImportSales(
        self, request_iterator: AsyncIterator[pb.ImportSalesRequest], context: Context
    ) -> pb.ImportSalesResponse:
        imported = await self._importer.run(
            request_iterator, SalesReader, lambda session, _: SalesStore(session)
        )
        return response_from(imported)
