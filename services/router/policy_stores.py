"""The policy stores of a jurisdiction's regions. Each call of one has a limit of time.

A frozen database answers neither a query nor its cancellation, and must hold up nobody: what does
not answer in time counts as gone, and ends in the background.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

from services.chassis.database import Database, DatabaseUnavailable, HomeRegionReadOnly
from services.router.policy_log import Change, Key
from services.router.store import PAGE, Mark, PolicyStore

ANSWER_SECONDS = 0.8
"""For a whole transaction. What a drain waits for a store that has just frozen."""

SECOND_CANCEL_SECONDS = 0.05

Answer = TypeVar("Answer")


class Read(NamedTuple):
    changes: list[Change]
    whole: bool  # There is nothing else in the log.


class PolicyStores:
    """Close it before its database."""

    def __init__(self, database: Database, regions: Sequence[str]) -> None:
        self._database = database
        self._abandoned: set[asyncio.Task[Any]] = set()
        self.regions = tuple(region for region in regions if region in database.home_regions)

    async def read(self, region: str, known: Mark) -> Read:
        """Returns what the log of ``region`` holds besides what is ``known`` of it.

        A long log is read in pages, each with its own limit of time.

        Raises:
            DatabaseUnavailable: it does not answer in time.
        """

        async def begin() -> Read:
            async with self._store(region) as store:
                whole = not await store.still(known)
                above = 0 if whole else known[1]
                return Read(await store.changes(above, limit=PAGE), whole)

        async def go_on(after: Key) -> list[Change]:
            async with self._store(region) as store:
                return await store.changes(0, after, PAGE)

        found, whole = await self._within(begin())
        page = found
        while len(page) == PAGE:
            page = await self._within(go_on(page[-1].key))
            found += page
        return Read(found, whole)

    async def add(self, region: str, changes: Sequence[Change]) -> None:
        """Writes ``changes`` to ``region``. Raises DatabaseUnavailable."""

        async def work() -> None:
            async with self._store(region) as store:
                await store.lock()
                await store.add(changes)

        await self._within(work())

    async def decide(
        self, region: str, known: Mark, decision: Callable[[list[Change]], Change | None]
    ) -> tuple[Read, Change | None]:
        """Lets ``decision`` say what to add to the log of ``region``.

        It is shown what the log holds besides what is ``known`` of it, which is little: who polls
        it has read the rest.

        Nobody else writes there meanwhile, so that two operators who can reach the same store are
        asked one after the other.

        Returns:
            What it was shown, and what it has added.

        Raises:
            DatabaseUnavailable: it does not answer in time. Whether the change was written is
                unknown then.
        """

        async def work() -> tuple[Read, Change | None]:
            async with self._store(region) as store:
                await store.lock()
                whole = not await store.still(known)
                found = await store.changes(0 if whole else known[1])
                made = decision(found)
                if made is not None:
                    await store.add([made])
                return Read(found, whole), made

        return await self._within(work())

    async def close(self) -> None:
        """Waits for what was given up."""
        for task in self._abandoned:
            task.cancel()
        await asyncio.gather(*self._abandoned, return_exceptions=True)

    @asynccontextmanager
    async def _store(self, region: str) -> AsyncIterator[PolicyStore]:
        async with self._database.transaction_of(region, None) as session:
            yield PolicyStore(session)

    async def _within(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        task = asyncio.create_task(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=ANSWER_SECONDS)
        except asyncio.CancelledError:
            self._abandon(task)
            raise
        if not done:
            self._abandon(task)
            raise DatabaseUnavailable("The region's database does not answer in time.")
        try:
            return task.result()
        except HomeRegionReadOnly:
            # A standby alone is left: of no use for writing, and another store is.
            raise DatabaseUnavailable("The region's database takes no writes.") from None

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        # The driver asks the server to cancel, and waits; told twice, it closes the connection.
        task.cancel()
        asyncio.get_running_loop().call_later(SECOND_CANCEL_SECONDS, task.cancel)
        self._abandoned.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # Seen: nobody else will ask.


async def answered(calls: dict[str, Awaitable[Any]]) -> tuple[str, ...]:
    """Awaits ``calls`` side by side. Returns the names of those whose database answered."""
    results = await asyncio.gather(*calls.values(), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DatabaseUnavailable):
            raise result
    return tuple(
        name
        for name, result in zip(calls, results, strict=True)
        if not isinstance(result, DatabaseUnavailable)
    )
