"""Residency evidence in PostgreSQL: counts by the hour, and violations.

Counts are added to what is there: all routers of a region write to the same rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from services.router.audit import Count, Key, Violation
from services.router.tables_evidence import TenantRow, TotalRow, ViolationRow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT = timedelta(days=400)
"""As row security has it: what is younger cannot be deleted."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` on, up to before ``end``. Hours that it touches count as a whole."""

    start: datetime
    end: datetime

    @property
    def first_hour(self) -> datetime:
        return self.start.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Total:
    token_jurisdiction: str  # Empty without a token, or if only own tenants are asked about.
    served_region: str
    reporter: str
    calls: int
    violations: int


class EvidenceStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_totals(self, counts: Mapping[Key, Count]) -> None:
        rows = [
            {**_values(key, count), "token_jurisdiction": key.token_jurisdiction}
            for key, count in sorted(counts.items(), key=_order)
        ]
        await self._add(TotalRow, rows, "token_jurisdiction")

    async def add_tenants(self, tenants: Mapping[UUID, Mapping[Key, Count]]) -> None:
        """Adds each tenant's counts, one after the other under the tenant's own row security."""
        for tenant in sorted(tenants):
            rows = [_values(*found) for found in sorted(tenants[tenant].items(), key=_order)]
            await self._as_tenant(str(tenant))
            await self._add(TenantRow, rows, "tenant_id")
        await self._as_tenant("")

    async def add_violations(self, violations: Sequence[Violation]) -> None:
        rows = [
            {
                "time": EPOCH + timedelta(microseconds=found.time_nanos // 1000),
                "token_jurisdiction": found.token_jurisdiction,
                "served_region": found.served_region,
                "node": found.node,
                "method": found.method,
                "trace_id": found.trace_id,
            }
            for found in violations
        ]
        if rows:  # None would be one row of defaults.
            await self._session.execute(insert(ViolationRow), rows)

    async def totals(self, period: Period) -> list[Total]:
        """Returns counts of all tenants, the hours of ``period`` taken together."""
        keys = (TotalRow.token_jurisdiction, TotalRow.served_region, TotalRow.reporter)
        rows = await self._session.execute(
            select(*keys, func.sum(TotalRow.calls), func.sum(TotalRow.violations))
            .where(TotalRow.hour >= period.first_hour, TotalRow.hour < period.end)
            .group_by(*keys)
        )
        return [Total(*row[:3], int(row[3]), int(row[4])) for row in rows]

    async def tenant_totals(self, period: Period) -> list[Total]:
        """The same for the transaction's tenant alone."""
        keys = (TenantRow.served_region, TenantRow.reporter)
        rows = await self._session.execute(
            select(*keys, func.sum(TenantRow.calls), func.sum(TenantRow.violations))
            .where(TenantRow.hour >= period.first_hour, TenantRow.hour < period.end)
            .group_by(*keys)
        )
        return [Total("", *row[:2], int(row[2]), int(row[3])) for row in rows]

    async def newest_violations(self, period: Period, limit: int) -> list[Violation]:
        rows = await self._session.scalars(
            select(ViolationRow)
            .where(ViolationRow.time >= period.start, ViolationRow.time < period.end)
            .order_by(ViolationRow.time.desc())
            .limit(limit)
        )
        return [
            Violation(
                (row.time - EPOCH) // timedelta(microseconds=1) * 1000,
                row.token_jurisdiction,
                row.served_region,
                row.node,
                row.method,
                row.trace_id,
            )
            for row in rows
        ]

    async def forget(self) -> None:
        """Deletes what is older than evidence is kept: row security hides the rest from it.

        Without a condition, because one would ask for the right to read, which nobody has here.
        """
        for table in (TotalRow, TenantRow, ViolationRow):
            await self._session.execute(delete(table))

    async def _add(
        self, table: type[DeclarativeBase], rows: list[dict[str, Any]], owner: str
    ) -> None:
        if not rows:
            return
        statement = postgresql.insert(table)
        there = table.__table__.c
        added = {name: there[name] + statement.excluded[name] for name in ("calls", "violations")}
        keys = [owner, "hour", "served_region", "reporter"]
        await self._session.execute(
            statement.values(rows).on_conflict_do_update(index_elements=keys, set_=added)
        )

    async def _as_tenant(self, tenant: str) -> None:
        setting = func.set_config("hemline.tenant_id", tenant, literal(value=True))
        await self._session.execute(select(setting))


def _order(found: tuple[Key, Count]) -> tuple[int, str, str, str]:
    """In the same order by every router: two that write at once wait, and never for each other."""
    key = found[0]
    return key.hour, key.token_jurisdiction, key.served_region, key.reporter


def _values(key: Key, count: Count) -> dict[str, Any]:
    return {
        "hour": EPOCH + timedelta(hours=key.hour),
        "served_region": key.served_region,
        "reporter": key.reporter,
        "calls": count.calls,
        "violations": count.violations,
    }
