"""The ledger's API on the wire. Translates and opens the transaction; decides nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from hemline.inventory.v1 import inventory_service_pb2 as pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as pb_grpc

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.imports import IMPORTS_AT_ONCE, prompt
from services.inventory import convert, ledger
from services.inventory.convert_imports import ImportReader, nothing_sent, outcome_to
from services.inventory.convert_stock_days import responses_from, stock_days_query_from
from services.inventory.domain import LevelNotFound
from services.inventory.imports import StockImport
from services.inventory.store import LedgerStore
from services.inventory.store_imports import ImportStore
from services.inventory.store_stock_days import StockDayStore

Context = grpc.aio.ServicerContext[Any, Any]


class InventoryServicer(pb_grpc.InventoryServiceServicer):
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._imports = asyncio.Semaphore(IMPORTS_AT_ONCE)

    async def RecordMovement(
        self, request: pb.RecordMovementRequest, context: Context
    ) -> pb.RecordMovementResponse:
        now = self._clock()
        movement = convert.movement_from(request, now)
        async with self._database.transaction() as session:
            posting = await ledger.record_movement(movement, store=LedgerStore(session), now=now)
        return convert.movement_to(posting)

    async def ImportStock(
        self, request_iterator: AsyncIterator[pb.ImportStockRequest], context: Context
    ) -> pb.ImportStockResponse:
        now = self._clock()
        reader = ImportReader(now)
        messages = prompt(request_iterator)
        # Nobody holds a connection for a caller that has not begun.
        first = await anext(messages, None)
        if first is None:
            raise nothing_sent()
        opening = reader.batch(first)
        async with self._imports, self._database.transaction() as session:
            stock_import = StockImport(ImportStore(session), now)
            await stock_import.open()
            await stock_import.add(opening)
            async for message in messages:
                await stock_import.add(reader.batch(message))
            outcome = await stock_import.finish(reader.heading())
        return outcome_to(outcome)

    async def GetStockLevel(
        self, request: pb.GetStockLevelRequest, context: Context
    ) -> pb.GetStockLevelResponse:
        store, sku = convert.level_name_from(request)
        async with self._database.transaction() as session:
            level = await LedgerStore(session).find_level(store, sku)
        if level is None:
            raise LevelNotFound(f"{sku} was never stocked in {store}.", store=store, sku=sku)
        return pb.GetStockLevelResponse(stock_level=convert.level_to(level))

    async def ListStockLevels(
        self, request: pb.ListStockLevelsRequest, context: Context
    ) -> pb.ListStockLevelsResponse:
        store, page = convert.levels_query_from(request)
        async with self._database.transaction() as session:
            levels, last = await LedgerStore(session).list_levels(store, page)
        return pb.ListStockLevelsResponse(
            stock_levels=[convert.level_to(level) for level in levels],
            next_page_token=page.token(last),
        )

    async def StreamStockDays(
        self, request: pb.StreamStockDaysRequest, context: Context
    ) -> AsyncIterator[pb.StreamStockDaysResponse]:
        store, period = stock_days_query_from(request)
        after = None
        while True:
            # One transaction a part: whoever reads slowly holds no connection meanwhile.
            async with self._database.transaction() as session:
                days, after = await StockDayStore(session).part(store, period, after)
            for response in responses_from(days):
                yield response
            if after is None:
                return
