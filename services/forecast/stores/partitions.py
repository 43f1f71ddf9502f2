"""Partitions of a tenant's bulky rows: made for a job, dropped as a whole.

Dropping a partition gives its space back at once, where deleting rows would leave it to a vacuum.
It asks for a moment's lock on the whole table, so it waits but briefly for it, and whoever comes
next tries again.
"""

from collections.abc import Sequence
from uuid import UUID

import psycopg
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.tables.runs import ForecastPartitionRow

SERIES = "forecast_series"
"""Forecasts, by run. A run has the id of its job."""
INPUT = "job_input"
"""What jobs have read, by job."""
PATIENCE = text("SET LOCAL lock_timeout = '100ms'")
ADD = text("SELECT forecast_add_partition(:parent, :key)")
DROP = text("SELECT forecast_drop_partition(:parent, :key)")


async def ensure(session: AsyncSession, parent: str, key: UUID) -> None:
    """Makes the partition, unless it is there. In a short transaction: others wait to make theirs.

    Raises:
        IntegrityError: somebody else makes it at the same moment.
    """
    if (parent, key) not in await partitions(session):
        await session.execute(ADD, {"parent": parent, "key": key})


async def drop(session: AsyncSession, parent: str, key: UUID) -> bool:
    """Drops the partition, which may be gone, and ends the transaction. False if it was in use."""
    try:
        await session.execute(PATIENCE)
        await session.execute(DROP, {"parent": parent, "key": key})
        await session.commit()
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise
        await session.rollback()
        return False
    return True


async def partitions(session: AsyncSession) -> Sequence[tuple[str, UUID]]:
    """The tenant's partitions: table and key."""
    query = select(ForecastPartitionRow.parent, ForecastPartitionRow.key)
    return [(row.parent, row.key) for row in await session.execute(query)]
