"""The catalogue's API on the wire. Translates and opens the transaction; decides nothing."""

from typing import Any

import grpc.aio
from hemline.inventory.v1 import catalog_service_pb2 as pb
from hemline.inventory.v1 import catalog_service_pb2_grpc as pb_grpc

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.inventory import catalog
from services.inventory import convert_catalog as convert
from services.inventory.domain_catalog import StyleNotFound
from services.inventory.store_catalog import CatalogStore

Context = grpc.aio.ServicerContext[Any, Any]


class CatalogServicer(pb_grpc.CatalogServiceServicer):
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def CreateStyle(
        self, request: pb.CreateStyleRequest, context: Context
    ) -> pb.CreateStyleResponse:
        new = convert.style_from(request)
        async with self._database.transaction() as session:
            create_time = await catalog.create_style(
                new.style, new.request_id, store=CatalogStore(session), now=self._clock()
            )
        return pb.CreateStyleResponse(style=convert.style_to(new.style, create_time))

    async def GetStyle(self, request: pb.GetStyleRequest, context: Context) -> pb.GetStyleResponse:
        name = convert.style_name_from(request)
        async with self._database.transaction() as session:
            found = await CatalogStore(session).find_style(name)
        if found is None:
            raise StyleNotFound(f"There is no style styles/{name}.", style=name)
        return pb.GetStyleResponse(style=convert.style_to(found.item, found.create_time))

    async def ListStyles(
        self, request: pb.ListStylesRequest, context: Context
    ) -> pb.ListStylesResponse:
        page = convert.styles_page_from(request)
        async with self._database.transaction() as session:
            styles, last = await CatalogStore(session).list_styles(page)
        return pb.ListStylesResponse(
            styles=[convert.style_to(style.item, style.create_time) for style in styles],
            next_page_token=page.token(last),
        )

    async def CreateStore(
        self, request: pb.CreateStoreRequest, context: Context
    ) -> pb.CreateStoreResponse:
        new = convert.store_from(request)
        async with self._database.transaction() as session:
            create_time = await catalog.create_store(
                new.store, new.request_id, store=CatalogStore(session), now=self._clock()
            )
        return pb.CreateStoreResponse(store=convert.store_to(new.store, create_time))

    async def ListStores(
        self, request: pb.ListStoresRequest, context: Context
    ) -> pb.ListStoresResponse:
        page = convert.stores_page_from(request)
        async with self._database.transaction() as session:
            stores, last = await CatalogStore(session).list_stores(page)
        return pb.ListStoresResponse(
            stores=[convert.store_to(store.item, store.create_time) for store in stores],
            next_page_token=page.token(last),
        )
