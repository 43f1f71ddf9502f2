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
from services.chassis.topology import Topology
from services.router.errors import LastHealthyRegion, PolicyChanged
from services.router.policy_log import Change, Key, Merged, Registers, merge
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
        self,
        topology: Topology,
        region: str,
        source: PolicySource,
        stores: PolicyStores,
        clock: Clock,
    ) -> None:
        self._topology = topology
        self._region = region
        self._jurisdiction = topology.jurisdiction_of(region).name
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
            merged = self._source.merged
            made = self._made(order, b"", planned, merged)
            return self._written([*self._source.changes, made], made, self._source.silent)
        text = json.dumps([*content, order.etag, order.reason], sort_keys=True)
        fingerprint = hashlib.sha256(text.encode()).digest()

        def decision(log: list[Change]) -> Change | None:
            known = self._with(log)
            if any(change.request_id == order.request_id for change in known):
                return None
            return self._made(order, fingerprint, planned, self._merged(known))

        made = await self._decided(order, decision)
        if made.fingerprint != fingerprint:
            raise RequestIdReused(order.request_id)
        await self._spread(made)
        changes = self._source.changes
        if made.key in self._source.merged.ignored:
            raise _overtaken(made)
        return self._written(
            [change for change in changes if change.key <= made.key],
            made,
            self._source.missing(made.key),
        )

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
        silent = self._source.silent
        for region in sorted(self._stores.regions, key=lambda name: name in silent):
            try:
                log, made = await self._stores.decide(region, decision)
            except DatabaseUnavailable:
                self._source.unheard(region)
                continue
            self._source.take(region, log if made is None else [*log, made])
            return made or next(
                change
                for change in reversed(self._source.changes)
                if change.request_id == order.request_id
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

    def _written(self, changes: list[Change], made: Change, missing: Iterable[str]) -> Written:
        """What held, or would, right after ``made``: the same however often it is asked."""
        merged = self._merged(changes)
        if made.key in merged.ignored:
            raise _overtaken(made)
        return Written(merged, tuple(sorted(missing)))

    def _with(self, log: list[Change]) -> list[Change]:
        known: dict[Key, Change] = {change.key: change for change in self._source.changes}
        return list({**known, **{change.key: change for change in log}}.values())

    def _merged(self, changes: Iterable[Change]) -> Merged:
        return merge(self._topology, self._jurisdiction, changes)


def _overtaken(change: Change) -> LastHealthyRegion:
    region = next(iter(change.registers.drained), change.region)
    return LastHealthyRegion(
        f"{region} is not drained: another operator has drained the region that was to take its "
        "calls at the same moment.",
        region=region,
    )
