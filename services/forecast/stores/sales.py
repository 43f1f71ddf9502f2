"""Sales lines in PostgreSQL.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.errors import FieldViolation
from services.chassis.imports import violation
from services.forecast.domain.imports import Imported
from services.forecast.domain.sales import MOST_LINES, SalesLine
from services.forecast.postgres.copying import copy_in, escaped
from services.forecast.postgres.locks import lock_sales
from services.forecast.tables.sales import SalesImportRow

STAGE = """
CREATE TEMPORARY TABLE sale_stage (
    ordinal bigint, "row" bigint, document text COLLATE "C", store text COLLATE "C",
    sku text COLLATE "C", product text, sale_date date, units integer, unit_price_micros bigint
) ON COMMIT DROP
"""
STAGE_COLUMNS = ("ordinal", "row", *SalesLine._fields[1:])
INCOMING = """
CREATE TEMPORARY TABLE sale_incoming ON COMMIT DROP AS
SELECT *, row_number() OVER (PARTITION BY document, sku ORDER BY ordinal)::integer AS occurrence
FROM sale_stage
"""
CONTRADICTIONS = """
SELECT i."row", count(*) OVER () AS total, CASE
    WHEN l.store <> i.store THEN 'store'
    WHEN l.product <> i.product THEN 'product'
    WHEN l.sale_date <> i.sale_date THEN 'sale_date'
    WHEN l.units <> i.units THEN 'units'
    ELSE 'unit_price_micros' END AS field
FROM sale_incoming i JOIN sale_line l USING (document, sku, occurrence)
WHERE (l.store, l.product, l.sale_date, l.units, l.unit_price_micros)
    <> (i.store, i.product, i.sale_date, i.units, i.unit_price_micros)
ORDER BY i.ordinal LIMIT :most
"""
MERGE = """
WITH added AS (
    INSERT INTO sale_line
        (document, sku, occurrence, store, product, sale_date, units, unit_price_micros)
    SELECT document, sku, occurrence, store, product, sale_date, units, unit_price_micros
    FROM sale_incoming ON CONFLICT DO NOTHING RETURNING 1
) SELECT count(*) FROM added
"""


class SalesStore:
    """An import of sales, step by step."""

    most_lines = MOST_LINES
    heading = b""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._staged = 0

    async def open(self) -> None:
        await self._session.execute(text(STAGE))

    async def stage(self, lines: Sequence[SalesLine]) -> None:
        rows = (_copied(self._staged + at, line) for at, line in enumerate(lines))
        await copy_in(self._session, "sale_stage", STAGE_COLUMNS, rows)
        self._staged += len(lines)

    async def lock(self) -> None:
        await lock_sales(self._session)

    async def find(self, request_id: UUID) -> tuple[bytes, Imported] | None:
        row = await self._session.scalar(
            select(SalesImportRow).where(SalesImportRow.request_id == request_id)
        )
        return None if row is None else (row.fingerprint, Imported(row.lines, row.new_lines))

    async def prepare(self) -> None:
        """Gives each staged line its place among the lines of its document and SKU."""
        await self._session.execute(text(INCOMING))
        await self._session.execute(text("ANALYZE sale_incoming"))

    async def contradictions(self, most: int) -> tuple[list[FieldViolation], int]:
        """Returns the first staged lines that differ from what is known, and how many there are."""
        rows = (await self._session.execute(text(CONTRADICTIONS), {"most": most})).all()
        found = [violation(row.row, row.field, "differs from the line imported.") for row in rows]
        return found, rows[0].total if rows else 0

    async def merge(self) -> tuple[int, int]:
        """Adds the staged lines that are not known. None ever changes."""
        return int((await self._session.execute(text(MERGE))).scalar_one()), 0

    async def record(
        self, request_id: UUID, fingerprint: bytes, imported: Imported, now: datetime
    ) -> None:
        await self._session.execute(
            insert(SalesImportRow).values(
                request_id=request_id,
                fingerprint=fingerprint,
                lines=imported.lines,
                new_lines=imported.new_lines,
                create_time=now,
            )
        )


def _copied(ordinal: int, line: SalesLine) -> str:
    return (
        f"{ordinal}\t{line.row}\t{escaped(line.document)}\t{line.store}\t{line.sku}\t"
        f"{escaped(line.product)}\t{line.sale_date}\t{line.units}\t{line.unit_price_micros}"
    )
