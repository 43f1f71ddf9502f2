"""The log of policy changes in one region's PostgreSQL. No tenant's, so outside of any tenant."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.router.policy_log import Change, from_json, to_json
from services.router.tables import PolicyChangeRow

POLICY_LOCK = 5_119_203
"""Advisory lock of whoever writes a change. Any number; used for nothing else here."""

Mark = tuple[int, int]
"""Count and highest version of the changes. The log only grows, so it tells a log that grew."""


class PolicyStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self) -> None:
        """Waits until no other transaction holds this lock, then holds it until the end."""
        await self._session.execute(select(func.pg_advisory_xact_lock(POLICY_LOCK)))

    async def mark(self) -> Mark:
        rows = await self._session.execute(
            select(func.count(), func.coalesce(func.max(PolicyChangeRow.version), 0))
        )
        count, version = rows.one()
        return count, version

    async def changes(self) -> list[Change]:
        """Returns the whole log. It has a row for each change that an operator made."""
        return [_change(row) for row in await self._session.scalars(select(PolicyChangeRow))]

    async def add(self, changes: Sequence[Change]) -> None:
        """Writes changes. Those that are there already stay as they are."""
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


def _change(row: PolicyChangeRow) -> Change:
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
