"""Locks on a tenant's sales, held until the transaction ends.

Imports take turns at adding lines, so that the second of two equal ones finds the first. A reader
shares the lock with other readers: what it reads in several statements stays the same meanwhile.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

KEY = "hashtextextended('sales/' || current_setting('hemline.tenant_id'), 0)"


async def lock_sales(session: AsyncSession) -> None:
    await session.execute(text(f"SELECT pg_advisory_xact_lock({KEY})"))


async def share_sales(session: AsyncSession) -> None:
    await session.execute(text(f"SELECT pg_advisory_xact_lock_shared({KEY})"))
