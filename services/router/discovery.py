"""The aggregated discovery service: the network's side of `stream`."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Any

import grpc
import grpc.aio
import structlog
from envoy.service.discovery.v3 import discovery_pb2 as pb

from services.chassis.topology import Region
from services.router import ads_server
from services.router.cache import SnapshotCache, UnknownNode
from services.router.conversation import Conversation
from services.router.delta import DeltaStream
from services.router.encode import Encoder
from services.router.instruments import Instruments
from services.router.nodes import Node
from services.router.registry import Proxy, Registry
from services.router.sotw import SotwStream
from services.router.stream import Answer, Verdict

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"

log = structlog.get_logger()

Context = grpc.aio.ServicerContext[Any, Any]


class AdsServicer:
    """Serves what is in the cache, in both dialects.

    Answers are bytes: most proxies are sent the same, which is serialized once.
    """

    def __init__(self, cache: SnapshotCache, region: Region, registry: Registry) -> None:
        self._cache = cache
        self._region = region
        self._registry = registry
        self._encoder = Encoder()
        self._instruments = Instruments()

    def register(self, server: grpc.aio.Server) -> None:
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(
                partial(self._answers, make=SotwStream, encode=self._encoder.sotw),
                request_deserializer=pb.DiscoveryRequest.FromString,
            ),
            "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(
                partial(self._answers, make=DeltaStream, encode=self._encoder.delta),
                request_deserializer=pb.DeltaDiscoveryRequest.FromString,
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))

    async def _answers(
        self,
        requests: AsyncIterator[Any],
        context: Context,
        make: type[DeltaStream | SotwStream],
        encode: Callable[[Answer], bytes],
    ) -> AsyncIterator[bytes]:
        async with aclosing(self._serve(requests, context, make)) as answers:
            async for answer in answers:
                yield encode(answer)

    async def _serve(
        self, requests: AsyncIterator[Any], context: Context, make: type[DeltaStream | SotwStream]
    ) -> AsyncGenerator[Answer]:
        with Conversation(requests) as conversation:
            first = await conversation.next_request()
            if first is None:
                return
            node = await self._node(first, context)
            with self._connected(first.node.id, node, make.__name__) as proxy:
                stream = make(partial(self._judged, proxy))
                stream.receive(first)
                with self._cache.watching(node, conversation.wake):
                    going_on = True
                    while going_on:
                        snapshot = self._cache.get(node)
                        stream.offer(snapshot)
                        while (answer := stream.answer()) is not None:
                            proxy.sent(answer.type_url, time.monotonic())
                            yield answer
                        if snapshot is not None and stream.in_sync:
                            proxy.good_version = snapshot.version
                        going_on = await conversation.next(stream)

    @contextmanager
    def _connected(self, node_id: str, node: Node, dialect: str) -> Iterator[Proxy]:
        kind = {"kind": node.kind.value}
        log.info("proxy_connected", node=node_id, dialect=dialect)
        self._instruments.streams.add(1, kind)
        try:
            with self._registry.stream(node_id) as proxy:
                yield proxy
        finally:
            self._instruments.streams.add(-1, kind)
            log.info("proxy_disconnected", node=node_id)

    async def _node(self, request: Any, context: Context) -> Node:
        try:
            node = self._cache.node(request.node.id)
        except UnknownNode as error:
            log.warning("proxy_refused", problem=str(error))
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
        await ads_server.check_peer(context, node, self._region)
        return node

    def _judged(self, proxy: Proxy, verdict: Verdict) -> None:
        seconds = proxy.judged(verdict, time.monotonic())
        kind = verdict.type_url.rpartition(".")[2]
        if verdict.error is None:
            self._instruments.latency.record(seconds, {"type": kind})
            log.debug("xds_accepted", node=proxy.node, type=kind, version=verdict.version)
            return
        # The proxy stays with what it had.
        self._instruments.nacks.add(1, {"type": kind})
        log.error(
            "xds_refused",
            node=proxy.node,
            type=kind,
            version=verdict.version,
            problem=verdict.error,
        )
