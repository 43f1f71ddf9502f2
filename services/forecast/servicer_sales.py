"""The sales API on the wire. Translates and opens the transaction; decides nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from hemline.forecast.v1 import sales_service_pb2 as pb
from hemline.forecast.v1 import sales_service_pb2_grpc as pb_grpc

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.imports import IMPORTS_AT_ONCE, prompt
from services.forecast.convert_sales import ImportReader, response_from
from services.forecast.domain_sales import Batch
from services.forecast.fields import refusal
from services.forecast.imports import import_sales
from services.forecast.store_sales import SalesStore

Context = grpc.aio.ServicerContext[Any, Any]


class SalesServicer(pb_grpc.SalesServiceServicer):
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._turns = asyncio.Semaphore(IMPORTS_AT_ONCE)

    async def ImportSales(
        self, request_iterator: AsyncIterator[pb.ImportSalesRequest], context: Context
    ) -> pb.ImportSalesResponse:
        now = self._clock()
        reader = ImportReader(now.date())
        messages = prompt(request_iterator)
        # Nobody holds a connection for a caller that has not begun.
        first = await anext(messages, None)
        if first is None:
            raise refusal("request_id", "the first message must name the import.")
        opening = reader.read(first)

        async def batches() -> AsyncIterator[Batch]:
            yield opening
            async for message in messages:
                yield reader.read(message)

        async with self._turns, self._database.transaction() as session:
            imported = await import_sales(
                opening.request_id, batches(), store=SalesStore(session), now=now
            )
        return response_from(imported)
