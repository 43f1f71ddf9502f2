"""A proxy of the tests' own, in both dialects, over real connections."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc.aio
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3 import discovery_pb2 as pb
from google.protobuf import json_format

from services.router import xds_types

LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class Heard:
    """An answer, whatever the dialect."""

    type_url: str
    version: str
    nonce: str
    names: frozenset[str]  # Of the resources in it.
    removed: frozenset[str]  # Names; the state-of-the-world dialect has none.
    texts: str  # All of the resources, for a look inside.


class Client(ABC):
    """One stream of one proxy."""

    def __init__(self, channel: grpc.aio.Channel, node: str) -> None:
        self._node = node
        self._first = True
        self._nonces: list[str] = []
        self._barriers = 0
        self.call = self._open(ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel))

    @abstractmethod
    def _open(self, stub: Any) -> Any: ...

    @abstractmethod
    async def ask(self, kind: str, *names: str, held: Iterable[Heard] = ()) -> None:
        """Subscribes to ``names`` more; with none, in the old way, to everything.

        ``held`` is what an earlier stream has brought.
        """

    @abstractmethod
    async def drop(self, kind: str, *names: str) -> None:
        """Takes names off what it has subscribed to."""

    @abstractmethod
    async def judge(self, heard: Heard, error: str | None = None) -> None:
        """Accepts, or with ``error`` refuses."""

    @abstractmethod
    def _read(self, answer: Any) -> Heard: ...

    async def hear(self, kind: str) -> Heard:
        """Waits for the next answer, which must be of this type, and leaves it unanswered."""
        found = self._read(await asyncio.wait_for(self.call.read(), LIMIT_SECONDS))
        assert found.nonce
        assert found.nonce not in self._nonces, "nonces stand for one answer each"
        self._nonces.append(found.nonce)
        assert found.type_url == kind, found
        return found

    async def accept(self, kind: str) -> Heard:
        """Waits for the next answer and accepts it."""
        found = await self.hear(kind)
        await self.judge(found)
        return found

    async def hears_nothing(self) -> None:
        """Asks for something that is answered before all else, and hears that answer first."""
        self._barriers += 1
        await self.ask(xds_types.SECRET, f"barrier-{self._barriers}")
        await self.accept(xds_types.SECRET)

    async def _send(self, request: Any, error: str | None = None) -> None:
        if self._first:
            request.node.id = self._node
        self._first = False
        if error is not None:
            request.error_detail.message = error
        await self.call.write(request)


class Delta(Client):
    dialect = "delta"

    def _open(self, stub: Any) -> Any:
        return stub.DeltaAggregatedResources()

    async def ask(self, kind: str, *names: str, held: Iterable[Heard] = ()) -> None:
        versions = {name: one.version for one in held for name in one.names}
        await self._send(
            pb.DeltaDiscoveryRequest(
                type_url=kind, resource_names_subscribe=names, initial_resource_versions=versions
            )
        )

    async def drop(self, kind: str, *names: str) -> None:
        await self._send(pb.DeltaDiscoveryRequest(type_url=kind, resource_names_unsubscribe=names))

    async def judge(self, heard: Heard, error: str | None = None) -> None:
        request = pb.DeltaDiscoveryRequest(type_url=heard.type_url, response_nonce=heard.nonce)
        await self._send(request, error)

    def _read(self, answer: Any) -> Heard:
        versions = {one.version for one in answer.resources}
        return Heard(
            answer.type_url,
            versions.pop() if len(versions) == 1 else answer.system_version_info,
            answer.nonce,
            frozenset(one.name for one in answer.resources),
            frozenset(answer.removed_resources),
            str([_unpacked(one.resource) for one in answer.resources]),
        )


class Sotw(Client):
    dialect = "sotw"

    def __init__(self, channel: grpc.aio.Channel, node: str) -> None:
        super().__init__(channel, node)
        self._names: dict[str, list[str]] = {}
        self._last: dict[str, Heard] = {}
        self._good: dict[str, str] = {}  # Versions.

    def _open(self, stub: Any) -> Any:
        return stub.StreamAggregatedResources()

    async def ask(self, kind: str, *names: str, held: Iterable[Heard] = ()) -> None:
        self._names.setdefault(kind, []).extend(names)
        for one in held:
            self._good[kind] = one.version
        await self._repeat(kind)

    async def drop(self, kind: str, *names: str) -> None:
        self._names[kind] = [name for name in self._names[kind] if name not in names]
        await self._repeat(kind)

    async def judge(self, heard: Heard, error: str | None = None) -> None:
        self._last[heard.type_url] = heard
        if error is None:
            self._good[heard.type_url] = heard.version
        await self._repeat(heard.type_url, error)

    async def _repeat(self, kind: str, error: str | None = None) -> None:
        last = self._last.get(kind)
        request = pb.DiscoveryRequest(
            type_url=kind,
            resource_names=self._names[kind],
            version_info=self._good.get(kind, ""),
            response_nonce=last.nonce if last else "",
        )
        await self._send(request, error)

    def _read(self, answer: Any) -> Heard:
        return Heard(
            answer.type_url,
            answer.version_info,
            answer.nonce,
            frozenset(_name(one) for one in answer.resources),
            frozenset(),
            str([_unpacked(one) for one in answer.resources]),
        )


def _name(packed: Any) -> str:
    kind = packed.type_url
    return str(_unpacked(packed)["cluster_name" if kind == xds_types.ENDPOINTS else "name"])


def _unpacked(packed: Any) -> dict[str, Any]:
    xds_types.register()
    made: dict[str, Any] = json_format.MessageToDict(packed, preserving_proto_field_name=True)
    return made
