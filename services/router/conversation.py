"""What happens on one stream, in order: requests of the proxy, changes, time that has passed."""

import asyncio
from collections.abc import AsyncIterator
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

from services.router.stream import Stream

WARMING_SECONDS = 0.75
"""What a new cluster needs to be usable: its endpoints, and for each a health check, which ends
after 0.5 s if nobody answers."""

WAITING_LIMIT = 64
"""Requests that wait. A proxy that sends more of them is not read meanwhile."""


class _Event(Enum):
    CHANGED = auto()
    CLOSED = auto()


class Conversation:
    """Reads ``requests`` until left. For one event loop."""

    def __init__(self, requests: AsyncIterator[Any]) -> None:
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()  # Of requests and events.
        self._room = asyncio.Semaphore(WAITING_LIMIT)
        self._reader = asyncio.create_task(self._read(requests))
        self._warm: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.cancel()
        self._unwarm()

    def wake(self) -> None:
        """Says that the snapshot is another."""
        self._inbox.put_nowait(_Event.CHANGED)

    async def next_request(self) -> Any | None:
        """Waits for the proxy's first request. None: it has gone. Raises what reading did."""
        first = await self._inbox.get()
        self._room.release()
        if first is _Event.CLOSED:
            await self._reader
            return None
        return first

    async def next(self, stream: Stream[Any]) -> bool:
        """Waits for what happens and tells ``stream``. Returns whether the proxy is still there.

        Raises:
            Exception: what reading did, such as of a message that is none. Ends the stream, with
                an error that the proxy is told.
        """
        if not stream.settled:
            self._unwarm()  # What is under way may be more clusters, whose time begins anew.
        elif stream.warming and self._warm is None:
            loop = asyncio.get_running_loop()
            self._warm = loop.call_later(WARMING_SECONDS, self._warmed, stream)
        event = await self._inbox.get()
        if event is _Event.CLOSED:
            await self._reader
            return False
        if event is not _Event.CHANGED:
            self._room.release()
            stream.receive(event)
        return True

    def _warmed(self, stream: Stream[Any]) -> None:
        self._warm = None
        stream.warmed()
        self.wake()

    def _unwarm(self) -> None:
        if self._warm is not None:
            self._warm.cancel()
            self._warm = None

    async def _read(self, requests: AsyncIterator[Any]) -> None:
        try:
            async for request in requests:
                await self._room.acquire()
                self._inbox.put_nowait(request)
        finally:
            self._inbox.put_nowait(_Event.CLOSED)
