"""Imports in PostgreSQL: lines are staged in a temporary table and applied as sets.

The statements are SQL text, in `import_sql`: each is one thought, and longer in any other dress.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory import import_sql as sql
from services.inventory.domain_catalog import MOST_CHOICES, MOST_SIZES
from services.inventory.domain_imports import (
    Breach,
    Heading,
    Line,
    Outcome,
    Rule,
)
from services.inventory.tables import StockImportRow


class ImportStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._staged = 0

    async def open(self) -> None:
        """Makes the staging table, private to this transaction and gone with it."""
        await self._run(sql.STAGE)

    async def stage(self, lines: Sequence[Line]) -> None:
        if not lines:
            return
        columns = dict(zip(Line._fields, map(list, zip(*lines, strict=True)), strict=True))
        positions = range(self._staged, self._staged + len(lines))
        await self._run(sql.ADD, position=list(positions), **columns)
        self._staged += len(lines)

    async def begin(self) -> None:
        """Waits for the tenant's other imports: from here to the end, one at a time.

        Two retries of one import then queue up here, and the second finds what the first did.
        """
        await self._run(sql.ONE_AT_A_TIME)
        await self._run(sql.ANALYZE)

    async def find(self, request_id: UUID) -> tuple[bytes, Outcome] | None:
        """Returns the fingerprint and the answer of an earlier import."""
        row = await self._session.scalar(
            select(StockImportRow).where(StockImportRow.request_id == request_id)
        )
        if row is None:
            return None
        return row.fingerprint, Outcome(row.lines, row.movements, row.new_skus, row.new_stores)

    async def breaches(self, most: int) -> tuple[list[Breach], int]:
        """Returns the first ``most`` breaches by line, and how many lines have one."""
        return await self._breaches(sql.BREACHES, most)

    async def add_to_catalogue(self, now: datetime) -> tuple[int, int]:
        """Adds what the lines name and the catalogue lacks. Returns (SKUs, stores) added."""
        new_stores = await self._run(sql.ADD_STORES, now=now)
        await self._run(sql.ADD_STYLES, now=now)
        await self._run(sql.ADD_CHOICES)
        new_skus = await self._run(sql.ADD_SKUS)
        return new_skus, new_stores

    async def oversize(self, most: int) -> tuple[list[Breach], int]:
        """The same as `breaches`, for styles that have grown too large."""
        return await self._breaches(sql.OVERSIZE, most, choices=MOST_CHOICES, sizes=MOST_SIZES)

    async def post(self, heading: Heading, now: datetime) -> int:
        """Makes the levels agree with the lines. Returns how many movements that took."""
        await self._run(sql.MAKE_LEVELS, now=now)
        await self._run(sql.LOCK_LEVELS)
        return await self._run(
            sql.POST, import_id=heading.request_id, occur_time=heading.count_time, now=now
        )

    async def record(
        self, heading: Heading, fingerprint: bytes, outcome: Outcome, now: datetime
    ) -> None:
        await self._session.execute(
            insert(StockImportRow).values(
                request_id=heading.request_id,
                fingerprint=fingerprint,
                lines=outcome.lines,
                movements=outcome.movements,
                new_skus=outcome.new_skus,
                new_stores=outcome.new_stores,
                count_time=heading.count_time,
                record_time=now,
            )
        )

    async def _breaches(
        self, statement: TextClause, most: int, **values: object
    ) -> tuple[list[Breach], int]:
        found = await self._session.execute(statement, {"most": most, **values})
        rows = found.all()
        breaches = [Breach(row.row, row.field, Rule(row.rule), row.other) for row in rows]
        return breaches, rows[0].rejected if rows else 0

    async def _run(self, statement: TextClause, **values: object) -> int:
        """Returns the number of rows touched."""
        done = await self._session.execute(statement, values)
        return int(getattr(done, "rowcount", 0))
