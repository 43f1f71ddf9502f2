"""The log of policy changes in one region's PostgreSQL. No tenant's, so outside of any tenant."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.router.policy_log import Change, Key, from_json, to_json
from services.router.tables import PolicyChangeRow

POLICY_LOCK = 5_119_203
"""Advisory lock of whoever writes a change. Any number; used for nothing else here."""

Mark = tuple[int, int]
"""Count and highest version of the changes that somebody has read."""

PAGE = 500
"""Changes that are read, or written, at once: well within the time that a store has."""


class PolicyStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self) -> None:
        """Waits until no other transaction holds this lock, then holds it until the end."""
        await self._session.execute(select(func.pg_advisory_xact_lock(POLICY_LOCK)))

    async def still(self, known: Mark) -> bool:
        """Says whether up to the version of ``known`` there is what was read, and nothing else.

        A change may come late with a version that is not new, from a region that was cut off; and a
        database may have been made anew.
        """
        count, version = known
        up_to = select(func.count()).where(PolicyChangeRow.version <= version)
        return await self._session.scalar(up_to) == count

    async def changes(
        self, above: int, after: Key | None = None, limit: int | None = None
    ) -> list[Change]:
        """Returns changes by their keys.

        Args:
            above: a version. Only higher ones.
            after: a key, of the last change of the page before.
            limit: at most so many.
        """
        table = PolicyChangeRow.__table__
        order = table.c.version, table.c.region, table.c.request_id
        # Plain rows: as objects of the mapper they would take three times as long.
        query = select(table).where(table.c.version > above)
        if after is not None:
            version, region, request_id = after
            query = query.where(tuple_(*order) > tuple_(version, region, UUID(request_id)))
        rows = await self._session.execute(query.order_by(*order).limit(limit))
        return [_change(row) for row in rows]

    async def add(self, changes: Sequence[Change]) -> None:
        """Writes changes, at most `PAGE`. Those that are there already stay as they are."""
        rows = [_values(change) for change in changes]
        await self._session.execute(
            postgresql.insert(PolicyChangeRow).values(rows).on_conflict_do_nothing()
        )


def _values(change: Change) -> dict[str, object]:
    return {
        "version": change.version,
        "region": change.region,
        "request_id": change.request_id,
        "fingerprint": change.fingerprint,
        "create_time": change.create_time,
        "operator": change.operator,
        "action": change.action,
        "reason": change.reason,
        "settings": to_json(change.registers),
    }


def _change(row: Row[Any]) -> Change:
    return Change(
        version=row.version,
        region=row.region,
        request_id=row.request_id,
        fingerprint=row.fingerprint,
        create_time=row.create_time,
        operator=row.operator,
        action=row.action,
        reason=row.reason,
        registers=from_json(row.settings),
    )
