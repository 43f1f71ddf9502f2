"""When to look at which tenant, and what tenants have said of their nights."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Uuid, cast, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.tenancy import TenantId
from services.forecast.domain.jobs import Kind, Schedule, Spec
from services.forecast.tables.jobs import JobScheduleRow, JobTurnRow


async def due(session: AsyncSession, now: datetime, limit: int) -> Sequence[TenantId]:
    """Tenants to look at now, who has waited longest first. Needs no tenant's transaction."""
    query = select(JobTurnRow.tenant_id).where(JobTurnRow.wake_time <= now)
    rows = await session.scalars(query.order_by(JobTurnRow.wake_time).limit(limit))
    return [TenantId(tenant_id) for tenant_id in rows]


class Turn(NamedTuple):
    wake_time: datetime  # When to look at the tenant.
    night_time: datetime | None  # When its next job begins unasked; None if that is not known yet.


async def turn(session: AsyncSession) -> Turn | None:
    """The transaction's tenant's; None if there never was anything to do for it."""
    tenant = cast(func.current_setting("hemline.tenant_id"), Uuid)
    row = await session.scalar(select(JobTurnRow).where(JobTurnRow.tenant_id == tenant))
    return None if row is None else Turn(row.wake_time, row.night_time)


async def set_turn(session: AsyncSession, wanted: Turn) -> None:
    await _put(session, JobTurnRow, wanted._asdict())


async def wake(session: AsyncSession, now: datetime) -> None:
    """Has the transaction's tenant looked at."""
    row = postgresql.insert(JobTurnRow).values(wake_time=now)
    sooner = {"wake_time": func.least(JobTurnRow.wake_time, now)}
    await session.execute(row.on_conflict_do_update(index_elements=["tenant_id"], set_=sooner))


async def schedule(session: AsyncSession) -> Schedule:
    row = await session.scalar(select(JobScheduleRow))
    if row is None:
        return Schedule()
    spec = Spec(Kind.FORECAST, row.period, row.horizon, row.effort)
    return Schedule(row.enabled, row.start_minute, spec)


async def set_schedule(session: AsyncSession, wanted: Schedule) -> None:
    values = {
        "enabled": wanted.enabled,
        "start_minute": wanted.start_minute,
        "period": wanted.spec.period,
        "effort": wanted.spec.effort,
        "horizon": wanted.spec.horizon,
    }
    await _put(session, JobScheduleRow, values)


async def _put(
    session: AsyncSession, table: type[JobTurnRow | JobScheduleRow], values: dict[str, Any]
) -> None:
    """Inserts or replaces the one row of the transaction's tenant."""
    row = postgresql.insert(table).values(**values)
    await session.execute(row.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
