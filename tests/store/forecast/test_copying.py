import asyncio
from contextlib import suppress
from uuid import uuid4

from sqlalchemy import text

from services.chassis.database import Database
from services.forecast.postgres.copying import copy_in
from tests.store.forecast.support import HOME

PILE = text("CREATE TEMPORARY TABLE pile (line text) ON COMMIT DROP")
MOMENTS = 100


async def test_a_copy_may_be_called_off_at_any_moment(database: Database) -> None:
    for moment in range(MOMENTS):
        # Any other error would say that the transaction could not be rolled back.
        with suppress(asyncio.CancelledError):
            async with database.transaction_of(HOME, uuid4()) as session:
                await session.execute(PILE)
                copying = asyncio.ensure_future(copy_in(session, "pile", ("line",), ["a"]))
                for _ in range(moment):
                    await asyncio.sleep(0)
                copying.cancel()
                await copying
