"""The aggregated discovery service: the network's side of `stream`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

import grpc
import grpc.aio
import structlog
from envoy.service.discovery.v3 import ads_pb2_grpc

from services.chassis.topology import Region
from services.router import ads_server
from services.router.cache import SnapshotCache, UnknownNode
from services.router.delta import DeltaStream
from services.router.nodes import Node
from services.router.sotw import SotwStream
from services.router.stream import Verdict

log = structlog.get_logger()

Context = grpc.aio.ServicerContext[Any, Any]


class AdsServicer(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc]  # Untyped.
    def __init__(self, cache: SnapshotCache, region: Region) -> None:
        self._cache = cache
        self._region = region

    def register(self, server: grpc.aio.Server) -> None:
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, server)

    async def StreamAggregatedResources(  # noqa: N802  # The contract's name.
        self, request_iterator: AsyncIterator[Any], context: Context
    ) -> AsyncIterator[Any]:
        async with aclosing(self._serve(request_iterator, context, SotwStream)) as answers:
            async for answer in answers:
                yield answer

    async def DeltaAggregatedResources(  # noqa: N802  # The contract's name.
        self, request_iterator: AsyncIterator[Any], context: Context
    ) -> AsyncIterator[Any]:
        async with aclosing(self._serve(request_iterator, context, DeltaStream)) as answers:
            async for answer in answers:
                yield answer

    async def _serve(
        self,
        requests: AsyncIterator[Any],
        context: Context,
        make: type[DeltaStream | SotwStream],
    ) -> AsyncGenerator[Any]:
        inbox: asyncio.Queue[_Event] = asyncio.Queue()
        reader = asyncio.create_task(_read(requests, inbox))
        try:
            first = await inbox.get()
            if not isinstance(first, _Request):
                return
            node = await self._node(first.message, context)
            stream = make(partial(_log_verdict, node))
            log.info("proxy_connected", node=str(node), dialect=make.__name__)
            with self._cache.watching(node, lambda: inbox.put_nowait(_Changed())):
                event: _Event = first
                while not isinstance(event, _Closed):
                    if isinstance(event, _Request):
                        stream.receive(event.message)
                    stream.offer(self._cache.get(node))
                    while (answer := stream.answer()) is not None:
                        yield answer
                    event = await inbox.get()
        finally:
            reader.cancel()

    async def _node(self, request: Any, context: Context) -> Node:
        try:
            node = self._cache.node(request.node.id)
        except UnknownNode as error:
            log.warning("proxy_refused", problem=str(error))
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
        await ads_server.check_peer(context, node, self._region)
        return node


class _Request:
    def __init__(self, message: Any) -> None:
        self.message = message


class _Changed:
    """The snapshot is another."""


class _Closed:
    """The proxy has gone."""


_Event = _Request | _Changed | _Closed


async def _read(requests: AsyncIterator[Any], inbox: asyncio.Queue[_Event]) -> None:
    try:
        async for message in requests:
            inbox.put_nowait(_Request(message))
    finally:
        inbox.put_nowait(_Closed())


def _log_verdict(node: Node, verdict: Verdict) -> None:
    kind = verdict.type_url.rpartition(".")[2]
    if verdict.error is None:
        log.info("xds_accepted", node=str(node), type=kind, version=verdict.version)
    else:
        # The proxy stays with what it had.
        log.error(
            "xds_refused",
            node=str(node),
            type=kind,
            version=verdict.version,
            problem=verdict.error,
        )
