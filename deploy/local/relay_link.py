"""One connection through the relay: two sockets, and a queue for each direction.

Bytes are kept until they are due, so delay does not limit how many are under way; a queue that is
full, because the receiver is slow or the route is cut, stops its sender from sending.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import cast

from deploy.local import routes
from deploy.local.routes import Mode, Route

LINGER_NOT = struct.pack("ii", 1, 0)
"""Closing with it sends RST, where it would else send FIN."""

QUEUE_BYTES = 4 * 1024 * 1024
"""In each direction: 90 MB/s at a delay of 45 ms."""

HANDSHAKE_DELAYS = 3
"""SYN, SYN-ACK, and the first bytes with the ACK. The kernel has let the caller in at once."""

END = b""
"""In a queue: the sender has ended its direction."""

RESET = None
"""In a queue: the connection has broken."""


class Link:
    """A caller's connection and ours to what it is meant for."""

    def __init__(self, route: Callable[[], Route], gone: Callable[["Link"], None]) -> None:
        """``route`` returns the route as it now is; ``gone`` is called once, at the end."""
        self.route = route
        self.near, self.far = Socket(self), Socket(self)
        self.near.other, self.far.other = self.far, self.near
        self._gone = gone
        self._connecting: asyncio.Task[None] | None = None

    @property
    def cut(self) -> bool:
        return self.route().mode is Mode.CUT

    def made(self, end: "Socket") -> None:
        if end is self.near:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        else:
            self.near.pump()

    def changed(self) -> None:
        """The route has become another: what waits may go on."""
        if self.far.transport is None:
            if not self.cut and (self._connecting is None or self._connecting.done()):
                self.made(self.near)
            return
        self.near.pump()
        self.far.pump()

    def lost(self) -> None:
        """One of the sockets is closed; once both are, so is the link."""
        if self.near.transport is None and self.far.transport is None:
            if self._connecting:
                self._connecting.cancel()
            self._gone(self)

    def abort(self) -> None:
        """Resets both connections."""
        for end in (self.near, self.far):
            if end.transport:
                _reset(end.transport)

    async def _connect(self) -> None:
        await asyncio.sleep(HANDSHAKE_DELAYS * self.route().delay_ms / 1000)
        if self.cut:
            return  # `changed` tries again once it is healed.
        host, port = routes.split(self.route().to)
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.far, host, port)
        except OSError:
            self.abort()


class Socket(asyncio.Protocol):
    """One end of a link. What it receives goes into the other end's socket."""

    def __init__(self, link: Link) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Socket
        self._link = link
        self._queue: deque[tuple[float, bytes | None]] = deque()  # When each is due, loop time.
        self._queued_bytes = 0
        self._writable = True
        self._reading = True
        self._ended = False  # The other end has been told that no more comes from here.
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it.
        self._link.made(self)

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def eof_received(self) -> bool:
        self._take(END)
        return True  # The other direction may go on.

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.transport = None
        self._take(RESET)
        self._link.lost()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self.other.pump()

    def pump(self) -> None:
        """Passes on what is due, if the route lets it and the other end takes it."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._queue and self._passable():
            due, data = self._queue[0]
            if due > now:
                self._timer = loop.call_at(due, self.pump)
                break
            self._queue.popleft()
            self._pass(data)
        self._throttle()

    def _take(self, data: bytes | None) -> None:
        if not data and self.other.transport is None and (self._link.cut or data is RESET):
            # The caller has given up before anybody has heard of it.
            self._link.abort()
            return
        idle = not self._queue
        due = asyncio.get_running_loop().time() + self._link.route().delay_ms / 1000
        self._queue.append((due, data))
        self._queued_bytes += len(data or END)
        if idle:
            self.pump()
        else:
            self._throttle()

    def _passable(self) -> bool:
        return self.other.transport is not None and self.other._writable and not self._link.cut  # noqa: SLF001 - of the same class.

    def _pass(self, data: bytes | None) -> None:
        into = self.other.transport
        if into is None or into.is_closing():
            return
        if data is RESET:
            _reset(into)
        elif data == END:
            self._ended = True
            into.write_eof()
            if self.other._ended:  # noqa: SLF001 - of the same class.
                into.close()
                if self.transport:
                    self.transport.close()
        else:
            self._queued_bytes -= len(data)
            into.write(data)

    def _throttle(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._reading and self._queued_bytes > QUEUE_BYTES:
            self.transport.pause_reading()
            self._reading = False
        elif not self._reading and self._queued_bytes <= QUEUE_BYTES // 2:
            self.transport.resume_reading()
            self._reading = True


def _reset(transport: asyncio.Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    transport.abort()
