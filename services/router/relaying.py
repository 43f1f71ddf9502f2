"""Reports of edges, passed on to the region's other routers.

An Envoy reports to one router: which one is chance. Operators may ask any of them. So each router
passes on what edges tell it, word for word, in the same protocols and on the same port, and is
believed there because its certificate is a router's. What was passed on goes no further.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import grpc
import grpc.aio
import structlog

from services.router import certificate_files as files
from services.router import spiffe
from services.router.translate import Facts

AGAIN_SECONDS = 1.0
KEEPALIVE_MS = 1000

log = structlog.get_logger()

Tell = Callable[[Any], None]
Begin = Callable[[grpc.aio.Channel], Any]
"""Begins a call that takes a stream of reports."""


def nobody(_message: Any) -> None:
    """A `Tell` for what goes no further."""


class Relay:
    """Passes messages on to every address of ``peers``. For one event loop."""

    def __init__(self, peers: Sequence[str], facts: Callable[[], Facts]) -> None:
        self._peers = peers
        self._facts = facts

    @contextmanager
    def stream(self, begin: Begin, first: Any) -> Iterator[Tell]:
        """Has a stream to each peer until left. Yields what takes a message, and never waits.

        A message that cannot be sent before the next one comes is left out: the newest counts.

        Args:
            begin: the call.
            first: message of each stream, which says whose reports these are.
        """
        boxes = [_Box() for _ in self._peers]
        following = [
            asyncio.create_task(self._follow(peer, begin, first, box))
            for peer, box in zip(self._peers, boxes, strict=True)
        ]

        def tell(message: Any) -> None:
            for box in boxes:
                box.put(message)

        try:
            yield tell
        finally:
            for task in following:
                task.cancel()

    async def _follow(self, peer: str, begin: Begin, first: Any, box: "_Box") -> None:
        said = None
        while True:
            async with self._channel(peer) as channel:
                call = begin(channel)
                writing = asyncio.create_task(_write(call, first, box))
                try:
                    # Unlike the answers, it can be waited for without an error at the end.
                    code = await call.code()
                finally:
                    writing.cancel()
            if code is not said:  # Not every second of an outage.
                log.warning("reports_not_passed_on", peer=peer, code=code.name)
                said = code
            await asyncio.sleep(AGAIN_SECONDS)

    def _channel(self, peer: str) -> grpc.aio.Channel:
        facts = self._facts()
        region = facts.topology.regions[facts.region]
        leaf = facts.certificates.leaves[spiffe.router(region)]
        trusted = facts.certificates.bundles[facts.jurisdiction.name]
        *_, name = files.dns_names(files.ROUTER, region)
        return grpc.aio.secure_channel(
            peer,
            grpc.ssl_channel_credentials(trusted, leaf.key, leaf.chain),
            options=[
                ("grpc.ssl_target_name_override", name),
                ("grpc.keepalive_time_ms", KEEPALIVE_MS),
                ("grpc.keepalive_timeout_ms", KEEPALIVE_MS),
            ],
        )


async def _write(call: Any, first: Any, box: "_Box") -> None:
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # Its code says how it ended.
        await call.write(first)
        while True:
            await call.write(await box.take())


class _Box:
    """Holds the newest message."""

    def __init__(self) -> None:
        self._message: Any = None
        self._filled = asyncio.Event()

    def put(self, message: Any) -> None:
        self._message = message
        self._filled.set()

    async def take(self) -> Any:
        """Waits for a message that nobody has taken."""
        await self._filled.wait()
        self._filled.clear()
        return self._message
