"""An open-loop client that retries nothing and looks at every answer.

Calls start by the clock, not when the one before has ended: what waits behind a dead region is
counted with all the time that it has waited. Only a load that says how many calls may be under way
at once waits for answers, where the machine cannot keep up.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from proofs.lab.backend import HOST_HEADER
from proofs.lab.lab import Lab

GET_STOCK = "/hemline.inventory.v1.InventoryService/GetStockLevel"
RECORD = "/hemline.inventory.v1.InventoryService/RecordMovement"
SERVED_BY = "x-hemline-served-by"
DEADLINE_SECONDS = 5.0
KEPT = 100_000
"""Calls that are remembered one by one. What is counted over all of them is in the tally."""

UNLIMITED = 1_000_000
CHANNELS = 2
"""For each edge."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where calls enter, and whose they are."""

    edge: str
    home: str


@dataclass(slots=True)
class Call:
    """One call and what became of it."""

    way: Way
    path: str
    due: float  # Monotonic seconds; so is `ended`.
    ended: float = 0.0
    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    retry_info: bool = False
    detail: str = ""
    served_by: str = ""  # Region.
    host: str = ""  # Of the region.
    foreign: bool = False  # Served outside of the jurisdiction of its token.

    @property
    def ok(self) -> bool:
        return self.code is grpc.StatusCode.OK

    @property
    def seconds(self) -> float:
        return self.ended - self.due


@dataclass
class Tally:
    """Counts over all calls, however many."""

    calls: int = 0
    failed: int = 0
    foreign: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    served: Counter[tuple[str, str]] = field(default_factory=Counter)  # By home and region.

    def add(self, call: Call) -> None:
        self.calls += 1
        self.served[call.way.home, call.served_by] += 1
        if not call.ok:
            self.failed += 1
            self.problems[f"{call.code.name} {call.reason} {call.detail}".strip()] += 1
        self.foreign += call.foreign


class Load:
    """Calls at a rate, in turns over ``ways``, which may be replaced while it runs."""

    def __init__(
        self,
        lab: Lab,
        ways: Sequence[Way],
        rate: float,
        *,
        paths: Sequence[str] = (GET_STOCK,),
        payload: Callable[[int, Way], bytes] = lambda _number, _way: b"",
        seen: Callable[[Call], object] = lambda _call: None,
    ) -> None:
        """Draws up a load.

        Args:
            lab: that is called.
            ways: edge and home, in turns.
            rate: calls a second.
            paths: methods, in turns.
            payload: the request of the call of this number.
            seen: is told of every call that has ended.
        """
        self.ways = ways
        self.tally = Tally()
        self.calls: deque[Call] = deque(maxlen=KEPT)  # The last that have ended, see `take`.
        self._lab, self._rate, self._paths = lab, rate, cycle(paths)
        self._payload, self._seen = payload, seen
        self._jurisdictions = {
            name: region.jurisdiction for name, region in lab.plan.topology.regions.items()
        }
        self._channels: dict[str, list[grpc.aio.Channel]] = {}
        self._methods: dict[tuple[str, str, int], Any] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._one_ended = asyncio.Event()
        self._number = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Calls until left, and returns when the last has ended."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.drain()
            await self.close()

    async def run(self, count: int | None = None, at_once: int = UNLIMITED) -> None:
        """Calls until cancelled, or ``count`` times; ``at_once`` are under way at most."""
        started, sent = time.monotonic(), 0
        while count is None or sent < count:
            due = started + sent / self._rate
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            while len(self._under_way) >= at_once:
                self._one_ended.clear()
                await self._one_ended.wait()
            self._start(due)
            sent += 1

    async def drain(self) -> None:
        """Waits for what is under way."""
        while self._under_way:
            await asyncio.wait(tuple(self._under_way))

    async def drain_soon(self) -> None:
        """Waits for what is under way now, while new calls go on."""
        if self._under_way:
            await asyncio.wait(tuple(self._under_way))

    async def close(self) -> None:
        for channels in self._channels.values():
            for channel in channels:
                await channel.close()

    def take(self) -> list[Call]:
        """Returns the calls that have ended since the last time."""
        taken = list(self.calls)
        self.calls.clear()
        return taken

    def _start(self, due: float) -> None:
        number, self._number = self._number, self._number + 1
        call = Call(self.ways[number % len(self.ways)], next(self._paths), due)
        tokens = self._lab.tokens.of_home[call.way.home]
        token = tokens[number // len(self.ways) % len(tokens)]
        task = asyncio.create_task(self._call(call, token, number))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    async def _call(self, call: Call, token: str, number: int) -> None:
        method = self._method(call.way.edge, call.path, number % CHANNELS)
        running = method(
            self._payload(number, call.way),
            metadata=(("authorization", f"Bearer {token}"),),
            timeout=DEADLINE_SECONDS,
        )
        try:
            await running
            headers = {
                **dict(await running.initial_metadata()),
                **dict(await running.trailing_metadata()),
            }
        except grpc.aio.AioRpcError as error:
            headers = {**dict(error.initial_metadata()), **dict(error.trailing_metadata())}
            call.code, call.detail = error.code(), error.details() or ""
            _explain(call, headers.get("grpc-status-details-bin"))
        call.ended = time.monotonic()
        call.served_by = str(headers.get(SERVED_BY, ""))
        call.host = str(headers.get(HOST_HEADER, ""))
        own = self._jurisdictions[call.way.home]
        call.foreign = bool(call.served_by) and self._jurisdictions[call.served_by] != own
        self.tally.add(call)
        self._seen(call)
        self.calls.append(call)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._one_ended.set()

    def _method(self, edge: str, path: str, number: int) -> Any:
        key = (edge, path, number)
        if key not in self._methods:
            self._methods[key] = self._channel(edge, number).unary_unary(path)
        return self._methods[key]

    def _channel(self, edge: str, number: int) -> grpc.aio.Channel:
        if edge not in self._channels:
            # Each with connections of its own; a region that comes back is tried again at once.
            options = [
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.enable_retries", 0),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 500),
            ]
            address = self._lab.plan.regions[edge].edge
            self._channels[edge] = [
                grpc.aio.insecure_channel(address, options=options) for _ in range(CHANNELS)
            ]
        return self._channels[edge][number]


def _explain(call: Call, details: Any) -> None:
    if not details:
        return
    for one in status_pb2.Status.FromString(details).details:
        info = error_details_pb2.ErrorInfo()
        if one.Unpack(info):
            call.reason = info.reason
        call.retry_info |= one.Is(error_details_pb2.RetryInfo.DESCRIPTOR)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that so great a share does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
