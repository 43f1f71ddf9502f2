"""The policy in force: read from the stores of all regions of the jurisdiction, merged, and kept.

A store that is gone, or broken, takes nothing away. What this router has seen elsewhere it copies
into the store of its own region, so that no change depends on the one region that took it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

import structlog

from services.chassis.database import DatabaseUnavailable
from services.chassis.topology import Topology
from services.router.policy import Policy
from services.router.policy_log import Change, History, Key, Merged
from services.router.policy_stores import PolicyStores
from services.router.store import PAGE, Mark

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
        self._region = region
        self._jurisdiction = topology.jurisdiction_of(region).name
        self._stores = stores
        self._on_change = on_change
        self._held = {name: _Held() for name in stores.regions}
        self._silent: set[str] = set(stores.regions)
        self._asked = {name: asyncio.Event() for name in stores.regions}
        self._told = asyncio.Event()
        self.history = History(topology, self._jurisdiction)

    @property
    def merged(self) -> Merged:
        return self.history.merged

    @property
    def silent(self) -> frozenset[str]:
        """Regions whose store did not answer the last time."""
        return frozenset(self._silent)

    @property
    def by_answering(self) -> list[str]:
        """Regions in the topology's order, those whose store is silent last: the first decides."""
        return sorted(self._stores.regions, key=lambda name: name in self._silent)

    @property
    def answering(self) -> bool:
        """Whether any store did."""
        return len(self._silent) < len(self._stores.regions)

    def missing(self, key: Key) -> tuple[str, ...]:
        """Returns the regions whose store is not known to hold a change."""
        return tuple(name for name, held in self._held.items() if key not in held.keys)

    def known(self, region: str) -> Mark:
        """Returns how much of the log of ``region`` is known to be there."""
        return self._held[region].mark

    async def run(self) -> None:
        """Polls each store on its own, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for region in self._stores.regions:
                group.create_task(self._follow(region))

    async def fresh(self) -> Merged:
        """The policy with all that was accepted anywhere before: one store that answers is asked.

        It is the one that decides on changes. While none answers, it is what was read before.
        """
        for region in self.by_answering:
            try:
                read = self._stores.read(region, self.known(region))
                found, whole = await self._answer(region, read)
            except DatabaseUnavailable:
                self.unheard(region)
                continue
            self.take(region, found, whole=whole)
            break
        return self.merged

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

    def take(self, region: str, changes: Iterable[Change], *, whole: bool = False) -> None:
        """Adds what the store of ``region`` is known to hold.

        Args:
            region: where it was read or written.
            changes: there.
            whole: whether the store holds nothing else. It may have been set up anew.
        """
        found = list(changes)
        if whole:
            self._held[region] = _Held()
        self._held[region].add(found)
        before = self.merged
        self.history.add(found)
        for key in sorted(self.merged.ignored - before.ignored):
            version, by, _ = key
            log.error("policy_change_ignored", version=version, by=by)
        if self.merged.policy != before.policy:
            log.info("policy_changed", version=self.merged.version)
            self._on_change({self._jurisdiction: self.merged.policy})

    def unheard(self, region: str) -> None:
        """Takes note that the store of ``region`` has not answered. The next poll asks again."""
        if self._is_news(region):
            log.warning("policy_store_silent", store=region)
        self._silent.add(region)

    def _is_news(self, region: str) -> bool:
        """Whether nobody has been told yet that its store is silent."""
        return region not in self._silent or not self._asked[region].is_set()

    async def _follow(self, region: str) -> None:
        while True:
            try:
                read = self._stores.read(region, self.known(region))
                found, whole = await self._answer(region, read)
                self.take(region, found, whole=whole)
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
        held = self._held[region].keys
        changes = self.history.changes
        if len(held) == len(changes):
            return
        missing = [change for change in changes if change.key not in held]
        for start in range(0, len(missing), PAGE):
            page = missing[start : start + PAGE]
            await self._stores.add(region, page)
            self.take(region, page)
        log.info("policy_changes_copied", changes=len(missing))

    def _heard(self, region: str) -> None:
        if region in self._silent and self._asked[region].is_set():
            log.info("policy_store_answers", store=region)
        self._told.set()
        self._silent.discard(region)


class _Held:
    """What the store of one region is known to hold."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self._version = 0

    @property
    def mark(self) -> Mark:
        return len(self.keys), self._version

    def add(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.keys.add(change.key)
            self._version = max(self._version, change.version)
