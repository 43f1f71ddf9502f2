"""Setting levels to what was counted: all lines of an import, or none, inside one transaction."""

from datetime import datetime

from services.chassis.errors import FieldViolation, RequestIdReused
from services.chassis.imports import MOST_VIOLATIONS, ImportRejected
from services.inventory.domain_imports import (
    Batch,
    Breach,
    Fingerprint,
    Heading,
    Outcome,
)
from services.inventory.store_imports import ImportStore


class StockImport:
    """One import: `open`, `add` for each message, `finish`. An exception must roll back."""

    def __init__(self, store: ImportStore, now: datetime) -> None:
        self._store = store
        self._now = now
        self._fingerprint = Fingerprint()
        self._lines = 0
        self._violations: list[FieldViolation] = []
        self._rejected_lines = 0

    async def open(self) -> None:
        await self._store.open()

    async def add(self, batch: Batch) -> None:
        """Stages the lines of a message, and remembers what is wrong with the others."""
        room = MOST_VIOLATIONS - len(self._violations)
        self._violations.extend(batch.violations[:room])
        self._rejected_lines += batch.rejected_lines
        self._lines += len(batch.lines)
        for line in batch.lines:
            self._fingerprint.add(line)
        await self._store.stage(batch.lines)

    async def finish(self, heading: Heading) -> Outcome:
        """Checks the lines against each other and the catalogue, and applies them.

        Raises:
            ImportRejected: some lines break their rules.
            RequestIdReused: the request_id belongs to an import of other lines.
        """
        await self._store.begin()
        fingerprint = self._fingerprint.digest()
        earlier = await self._store.find(heading.request_id)
        # Lines that are rejected are in no fingerprint; they could pass for an import without them.
        if earlier is not None and not self._rejected_lines:
            earlier_fingerprint, outcome = earlier
            if earlier_fingerprint != fingerprint:
                raise RequestIdReused(heading.request_id)
            return outcome
        self._refuse(*await self._store.breaches(MOST_VIOLATIONS))
        new_skus, new_stores = await self._store.add_to_catalogue(self._now)
        # Again: a style made since then may have brought our new SKUs, and another colour for them.
        self._refuse(*await self._store.breaches(MOST_VIOLATIONS))
        if new_skus:
            self._refuse(*await self._store.oversize(MOST_VIOLATIONS))
        movements = await self._store.post(heading, self._now)
        outcome = Outcome(self._lines, movements, new_skus, new_stores)
        await self._store.record(heading, fingerprint, outcome, self._now)
        return outcome

    def _refuse(self, breaches: list[Breach], breached_lines: int) -> None:
        violations = [*self._violations, *(breach.violation() for breach in breaches)]
        if violations:
            raise ImportRejected(violations, rejected_lines=self._rejected_lines + breached_lines)
