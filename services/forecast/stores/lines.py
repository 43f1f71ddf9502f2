"""Plans, attributes and stock days on their way into PostgreSQL.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.errors import FieldViolation
from services.chassis.imports import violation
from services.forecast.domain.imports import Imported
from services.forecast.postgres import import_sql
from services.forecast.postgres.copying import copy_in, escaped
from services.forecast.postgres.import_sql import Target, filled
from services.forecast.postgres.locks import lock
from services.forecast.tables.plans import DataImportRow

NULL = "\\N"


class KeyedStore:
    """An import of lines that have a key, step by step.

    Args:
        target: where they go.
        known_time: when they became known, as the caller says; None for now. Only plans ask.
        now: the moment of the import.
    """

    def __init__(
        self,
        session: AsyncSession,
        target: Target,
        *,
        now: datetime,
        known_time: datetime | None = None,
    ) -> None:
        self.most_lines = target.most_lines
        # Not the moment of the import: a retry has another.
        self.heading = f"{target.table} {known_time}\n".encode()
        self._session = session
        self._target = target
        self._known_time = known_time or now
        self._staged = 0

    async def open(self) -> None:
        await self._session.execute(filled(import_sql.STAGE, self._target))

    async def stage(self, lines: Sequence[tuple[Any, ...]]) -> None:
        rows = (f"{self._staged + at}\t{_copied(line)}" for at, line in enumerate(lines))
        columns = ("ordinal", "row", *self._target.columns)
        await copy_in(self._session, "staged", columns, rows)
        self._staged += len(lines)

    async def lock(self) -> None:
        await lock(self._session, self._target.table)

    async def find(self, request_id: UUID) -> tuple[bytes, Imported] | None:
        row = await self._session.scalar(
            select(DataImportRow).where(DataImportRow.request_id == request_id)
        )
        if row is None:
            return None
        return row.fingerprint, Imported(row.lines, row.new_lines, row.changed_lines)

    async def prepare(self) -> None:
        await self._session.execute(filled(import_sql.PREPARE, self._target))
        await self._session.execute(text("ANALYZE incoming"))

    async def contradictions(self, most: int) -> tuple[list[FieldViolation], int]:
        checks = [(import_sql.TORN, "differs from an earlier line for the same.")]
        if self._target.versioned:
            checks += [
                (import_sql.CONTRADICTING, "differs from what is known of that time."),
                (import_sql.UNFOUNDED, "calls off what was not known by then."),
            ]
        for template, rule in checks:
            found = await self._wrong(filled(template, self._target), most, rule)
            if found[0]:
                return found
        return [], 0

    async def merge(self) -> tuple[int, int]:
        versioned = self._target.versioned
        template = import_sql.ADD_VERSIONS if versioned else import_sql.REPLACE
        statement = filled(template, self._target)
        new, changed = (await self._session.execute(statement, self._moment(statement))).one()
        return int(new), int(changed)

    async def record(
        self, request_id: UUID, fingerprint: bytes, imported: Imported, now: datetime
    ) -> None:
        await self._session.execute(
            insert(DataImportRow).values(
                request_id=request_id,
                kind=self._target.table,
                fingerprint=fingerprint,
                lines=imported.lines,
                new_lines=imported.new_lines,
                changed_lines=imported.changed_lines,
                create_time=now,
            )
        )

    async def _wrong(
        self, statement: TextClause, most: int, rule: str
    ) -> tuple[list[FieldViolation], int]:
        values = {"most": most, **self._moment(statement)}
        rows = (await self._session.execute(statement, values)).all()
        found = [violation(row.row, row.field, rule) for row in rows]
        return found, rows[0].total if rows else 0

    def _moment(self, statement: TextClause) -> dict[str, datetime]:
        """The parameter that not all statements have."""
        return {"known_time": self._known_time} if ":known_time" in statement.text else {}


def _copied(line: tuple[Any, ...]) -> str:
    return "\t".join(NULL if value is None else escaped(str(value)) for value in line)
