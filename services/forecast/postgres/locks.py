"""Locks on a tenant's data of one kind, held until the transaction ends.

Imports take turns at adding lines, so that the second of two equal ones finds the first. A reader
shares the lock with other readers: what it reads in several statements stays the same meanwhile.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

KEY = "hashtextextended(:kind || '/' || current_setting('hemline.tenant_id'), 0)"
SALES = "sales"


async def lock(session: AsyncSession, kind: str) -> None:
    await session.execute(text(f"SELECT pg_advisory_xact_lock({KEY})"), {"kind": kind})


async def share(session: AsyncSession, kind: str) -> None:
    await session.execute(text(f"SELECT pg_advisory_xact_lock_shared({KEY})"), {"kind": kind})


async def lock_sales(session: AsyncSession) -> None:
    await lock(session, SALES)


async def share_sales(session: AsyncSession) -> None:
    await share(session, SALES)
