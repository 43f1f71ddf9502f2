"""Adds an operator's change to the log of the jurisdiction, once, wherever a store answers."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.database import DatabaseUnavailable
from services.chassis.errors import RequestIdReused
from services.router.errors import LastHealthyRegion, PolicyChanged
from services.router.policy_log import Change, History, Merged, Registers
from services.router.policy_source import PolicySource
from services.router.policy_stores import PolicyStores


@dataclass(frozen=True, slots=True)
class Order:
    """What every change of the policy comes with."""

    operator: str
    request_id: UUID
    reason: str
    etag: str = ""  # Of the policy that the operator has seen; empty for any.
    validate_only: bool = False


class Plan(NamedTuple):
    """What an order comes to, seen from the policy in force."""

    action: str
    registers: Registers


Planner = Callable[[Merged], Plan]
"""Decides, or raises. Asked again if the policy in force is another by the time of writing."""


@dataclass(frozen=True, slots=True)
class Written:
    merged: Merged  # Right after the change, whatever came later.
    missing: tuple[str, ...]  # Regions whose store is not known to hold it.


class PolicyWriter:
    def __init__(
        self, region: str, source: PolicySource, stores: PolicyStores, clock: Clock
    ) -> None:
        self._region = region
        self._source = source
        self._stores = stores
        self._clock = clock

    async def write(self, order: Order, content: list[object], planned: Planner) -> Written:
        """Does what ``planned`` says, once for each request_id.

        Args:
            order: who wants it.
            content: what tells this request from another one, as JSON.
            planned: what to do.

        Raises:
            RequestIdReused: the id came with another request.
            PolicyChanged: the etag is an older policy's.
            LastHealthyRegion: another router has drained the last region at the same moment.
            DatabaseUnavailable: no store answers.
        """
        if order.validate_only:
            history = self._source.history
            made = self._made(order, b"", planned, history.merged)
            return _written(history.joined([made]), made, self._source.silent)
        text = json.dumps([*content, order.etag, order.reason], sort_keys=True)
        fingerprint = hashlib.sha256(text.encode()).digest()

        def decision(unread: list[Change]) -> Change | None:
            history = self._source.history.joined(unread)
            if history.of_request(order.request_id):
                return None
            return self._made(order, fingerprint, planned, history.merged)

        made = await self._decided(order, decision)
        if made.fingerprint != fingerprint:
            raise RequestIdReused(order.request_id)
        await self._spread(made)
        return _written(self._source.history, made, self._source.missing(made.key))

    def _made(self, order: Order, fingerprint: bytes, planned: Planner, merged: Merged) -> Change:
        if order.etag and order.etag != merged.etag:
            raise PolicyChanged(
                "The policy has changed since it was read. Read it again.", etag=merged.etag
            )
        plan = planned(merged)
        return Change(
            version=merged.version + 1,
            region=self._region,
            request_id=order.request_id,
            fingerprint=fingerprint,
            create_time=self._clock(),
            operator=order.operator,
            action=plan.action,
            reason=order.reason,
            registers=plan.registers,
        )

    async def _decided(
        self, order: Order, decision: Callable[[list[Change]], Change | None]
    ) -> Change:
        """Lets the first store that answers decide: in the topology's order, the same for all."""
        for region in self._source.by_answering:
            try:
                read, made = await self._stores.decide(region, self._source.known(region), decision)
            except DatabaseUnavailable:
                self._source.unheard(region)
                continue
            added = [] if made is None else [made]
            self._source.take(region, [*read.changes, *added], whole=read.whole)
            return made or min(
                self._source.history.of_request(order.request_id), key=lambda each: each.key
            )
        raise DatabaseUnavailable(
            "No policy store of the jurisdiction answers. Send it again with the same request_id."
        )

    async def _spread(self, change: Change) -> None:
        """Writes ``change`` to the other stores. One that is silent is brought it later."""

        async def add(region: str) -> None:
            try:
                await self._stores.add(region, [change])
            except DatabaseUnavailable:
                self._source.unheard(region)
                return
            self._source.take(region, [change])

        missing = set(self._source.missing(change.key)) - self._source.silent
        await asyncio.gather(*(add(region) for region in missing))


def _written(history: History, made: Change, missing: Iterable[str]) -> Written:
    """What held, or would, right after ``made``: the same however often it is asked."""
    merged = history.after(made.key)
    if made.key in merged.ignored:
        raise _overtaken(made)
    return Written(merged, tuple(sorted(missing)))


def _overtaken(change: Change) -> LastHealthyRegion:
    region = next(iter(change.registers.drained), change.region)
    return LastHealthyRegion(
        f"{region} is not drained: another operator has drained the region that was to take its "
        "calls at the same moment.",
        region=region,
    )
