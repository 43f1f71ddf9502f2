"""Evidence of where calls were served: brought to the region's database, read from the siblings'.

Counts are lost with a router that dies within the seconds between two flushes. One whose database
is away keeps them, and brings them later; beyond `audit.TENANT_COUNTS_KEPT` it keeps the totals
alone, and logs an error. A flush whose commit goes unanswered is made again, so
that in this one case calls are counted twice: more is seen than was, never less.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.chassis.clock import Clock
from services.chassis.database import Database, DatabaseUnavailable, RaceLost
from services.chassis.errors import Unavailable
from services.chassis.tenancy import TenantId
from services.router.audit import Auditor, Tally, Violation
from services.router.store_evidence import EvidenceStore, Period, Total

FLUSH_SECONDS = 3.0
READ_SECONDS = 3.0
"""For each region. A region that is cut off must not make the others' evidence unreadable."""

FORGET_INTERVAL = timedelta(hours=6)
VIOLATIONS_SHOWN = 100

RECEIPTS_AT_ONCE = 2
"""Whoever is signed in may ask for them. The rest of the connections is for counting, and for
operators."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RegionEvidence:
    """What the proxies of one region have reported."""

    region: str
    totals: Sequence[Total]
    violations: Sequence[Violation]


@dataclass(frozen=True, slots=True)
class Report:
    """What can be read of a jurisdiction's evidence."""

    regions: Sequence[RegionEvidence]
    unreachable: Sequence[str]


class Evidence:
    def __init__(self, database: Database, auditor: Auditor, region: str, clock: Clock) -> None:
        self._database = database
        self._auditor = auditor
        self._region = region
        self._clock = clock
        self._flushing = asyncio.Lock()
        self._issuing = asyncio.Semaphore(RECEIPTS_AT_ONCE)

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Flushes every few seconds until left, and then once more."""
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])
            await self.flush()

    async def report(self, period: Period) -> Report:
        """Reads what all regions of the jurisdiction have, and this router has counted.

        Raises:
            DatabaseUnavailable: none of them answers.
        """

        async def read(region: str) -> RegionEvidence:
            async with self._database.transaction_of(region, None, newest=True) as session:
                store = EvidenceStore(session)
                return RegionEvidence(
                    region,
                    await store.totals(period),
                    await store.newest_violations(period, VIOLATIONS_SHOWN),
                )

        # In a context of its own: the method that asks has no side effects, and so may not write.
        await asyncio.create_task(self.flush(), context=Context())
        found = await self._read(read)
        if not found.regions:
            raise DatabaseUnavailable("No region's evidence can be read.")
        return found

    async def report_of(self, tenant: TenantId, period: Period) -> Report:
        """Reads what all regions of the jurisdiction have of one tenant, some seconds old.

        Raises:
            DatabaseUnavailable: one of them does not answer, and without it nothing can be said.
        """

        async def read(region: str) -> RegionEvidence:
            async with self._database.transaction_of(region, tenant, newest=True) as session:
                return RegionEvidence(
                    region, await EvidenceStore(session).tenant_totals(period), ()
                )

        async with self._issuing:
            found = await self._read(read)
        if found.unreachable:
            missing = ", ".join(found.unreachable)
            raise DatabaseUnavailable(f"The evidence of {missing} cannot be read.")
        return found

    async def _read(self, read: Callable[[str], Awaitable[RegionEvidence]]) -> Report:
        regions = self._database.home_regions
        found = await asyncio.gather(*(_within_limit(read(region)) for region in regions))
        silent = [name for name, one in zip(regions, found, strict=True) if one is None]
        return Report([one for one in found if one is not None], sorted(silent))

    async def flush(self) -> bool:
        """Brings what was counted to the database. Returns whether it is there."""
        async with self._flushing:
            tally = self._auditor.take()
            if not tally:
                return True
            try:
                async with self._database.transaction_of(self._region, None) as session:
                    store = EvidenceStore(session)
                    await store.add_totals(tally.totals)
                    await store.add_violations(tally.violations)
                    await store.add_tenants(tally.tenants)
            except BaseException as error:
                self._auditor.give_back(tally)
                if not isinstance(error, (Unavailable, RaceLost)):
                    raise
                log.warning("evidence_not_kept", kind=type(error).__name__)
                return False
            _tell(tally)
            return True

    async def _run(self) -> None:
        forget_at = self._clock()
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                kept = await self.flush()
                if kept and self._clock() >= forget_at:
                    forget_at = self._clock() + FORGET_INTERVAL
                    await self._forget()
            except Exception:
                # A table that is not as it should be, or a bug. Calls go on, and so must counting.
                log.exception("evidence_broken")

    async def _forget(self) -> None:
        with suppress(Unavailable, RaceLost):
            async with self._database.transaction_of(self._region, None) as session:
                await EvidenceStore(session).forget()


async def _within_limit(reading: Awaitable[RegionEvidence]) -> RegionEvidence | None:
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await reading
    except (TimeoutError, Unavailable):
        return None


def _tell(tally: Tally) -> None:
    if tally.unkept:
        log.error("evidence_of_tenants_lost", calls=tally.unkept)
    if tally.unreadable:
        log.error("access_log_unreadable", entries=tally.unreadable)
    for found in tally.violations:
        log.error(
            "residency_violation",
            jurisdiction=found.token_jurisdiction,
            served_region=found.served_region,
            node=found.node,
            method=found.method,
            trace=found.trace_id,
        )
