"""The policy in force: read from the stores of all regions of the jurisdiction, merged, and kept.

A store that is gone, or broken, takes nothing away. What this router has seen elsewhere it copies
into the store of its own region, so that no change depends on the one region that took it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import structlog

from services.chassis.database import DatabaseUnavailable
from services.chassis.topology import Topology
from services.router.policy import Policy
from services.router.policy_log import Change, Key, merge
from services.router.policy_stores import PolicyStores
from services.router.store import Mark

POLL_SECONDS = 0.5

Answer = TypeVar("Answer")

log = structlog.get_logger()


class PolicySource:
    """Every change that this router has seen. Never fewer."""

    def __init__(
        self,
        topology: Topology,
        region: str,
        stores: PolicyStores,
        on_change: Callable[[Mapping[str, Policy]], object],
    ) -> None:
        self._topology = topology
        self._region = region
        self._jurisdiction = topology.jurisdiction_of(region).name
        self._stores = stores
        self._on_change = on_change
        self._changes: dict[Key, Change] = {}
        self._held: dict[str, frozenset[Key]] = {}  # By region that has answered.
        self._silent: set[str] = set(stores.regions)
        self._asked = {name: asyncio.Event() for name in stores.regions}
        self._told = asyncio.Event()
        self.merged = merge(topology, self._jurisdiction, ())

    @property
    def changes(self) -> list[Change]:
        """Newest first."""
        return [self._changes[key] for key in sorted(self._changes, reverse=True)]

    @property
    def silent(self) -> frozenset[str]:
        """Regions whose store did not answer the last time."""
        return frozenset(self._silent)

    @property
    def answering(self) -> bool:
        """Whether any store did."""
        return len(self._silent) < len(self._stores.regions)

    def missing(self, key: Key) -> tuple[str, ...]:
        """Returns the regions whose store is not known to hold a change."""
        held = self._held
        return tuple(name for name in self._stores.regions if key not in held.get(name, ()))

    async def run(self) -> None:
        """Polls each store on its own, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for region in self._stores.regions:
                group.create_task(self._follow(region))

    async def first(self, seconds: float) -> Mapping[str, Policy]:
        """Returns the policy once a store has told it and every other was asked, while `run` runs.

        After so many seconds it is what is known then: a router that starts without any store
        must still serve, and steers as the topology says.
        """
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(event.wait() for event in self._asked.values()))
                await self._told.wait()
        except TimeoutError:
            log.warning("policy_unread", stores=sorted(self._silent))
        return {self._jurisdiction: self.merged.policy}

    def take(self, region: str, changes: Iterable[Change], *, all_of_it: bool = False) -> None:
        """Adds what the store of ``region`` is known to hold.

        Args:
            region: where it was read or written.
            changes: there.
            all_of_it: whether the store holds nothing else. It may have been set up anew.
        """
        found = {change.key: change for change in changes}
        before = frozenset() if all_of_it else self._held.get(region, frozenset())
        self._held[region] = before | found.keys()
        if found.keys() <= self._changes.keys():
            return
        self._changes |= found
        self._merge()

    def unheard(self, region: str) -> None:
        """Takes note that the store of ``region`` has not answered. The next poll asks again."""
        if self._is_news(region):
            log.warning("policy_store_silent", store=region)
        self._silent.add(region)

    def _is_news(self, region: str) -> bool:
        """Whether nobody has been told yet that its store is silent."""
        return region not in self._silent or not self._asked[region].is_set()

    def _merge(self) -> None:
        before = self.merged
        self.merged = merge(self._topology, self._jurisdiction, self._changes.values())
        for key in sorted(self.merged.ignored - before.ignored):
            change = self._changes[key]
            log.error("policy_change_ignored", version=key[0], action=change.action, by=key[1])
        if self.merged.policy != before.policy:
            log.info("policy_changed", version=self.merged.version)
            self._on_change({self._jurisdiction: self.merged.policy})

    async def _follow(self, region: str) -> None:
        mark: Mark | None = None
        while True:
            try:
                # What was written there since is known too, and makes the mark an old one.
                counted = mark is not None and mark[0] == len(self._held[region])
                answer = await self._answer(
                    region, self._stores.read(region, mark if counted else None)
                )
                if answer is not None:
                    mark = answer[0]
                    self.take(region, answer[1], all_of_it=True)
                self._heard(region)
                if region == self._region:
                    await self._copy(region)
            except DatabaseUnavailable:
                self.unheard(region)
            self._asked[region].set()
            await asyncio.sleep(POLL_SECONDS)

    async def _answer(self, region: str, asked: Awaitable[Answer]) -> Answer:
        """What a store says. One with a table missing or an odd row says as little as one gone."""
        try:
            return await asked
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if self._is_news(region):
                log.exception("policy_store_broken", store=region)
            raise DatabaseUnavailable("The store answers with an error.") from error

    async def _copy(self, region: str) -> None:
        held = self._held[region]
        missing: Sequence[Change] = [
            change for key, change in self._changes.items() if key not in held
        ]
        if missing:
            await self._answer(region, self._stores.add(region, missing))
            self.take(region, missing)
            log.info("policy_changes_copied", changes=len(missing))

    def _heard(self, region: str) -> None:
        if region in self._silent and self._asked[region].is_set():
            log.info("policy_store_answers", store=region)
        self._told.set()
        self._silent.discard(region)
