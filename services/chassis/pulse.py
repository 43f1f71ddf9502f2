"""Whether a database answers, asked again and again over a connection that nobody else uses."""

import asyncio
import contextlib
from dataclasses import dataclass, field

import psycopg

from services.chassis.connecting import Connector, ReadyConnection, answering_within

ANSWER_SECONDS = 1.0


@dataclass(slots=True)
class Pulse:
    """The pulse of one region's primary."""

    connector: Connector
    _connection: ReadyConnection | None = field(default=None, init=False)

    async def beats(self) -> bool:
        """Whether a server that takes writes answers within a second. Never raises for a no."""
        try:
            if self._connection is None:
                async with asyncio.timeout(ANSWER_SECONDS):
                    self._connection = await self.connector.connect()
                await self._connection.set_autocommit(True)
            with answering_within(ANSWER_SECONDS, self._connection):
                found = await (
                    await self._connection.execute("SELECT pg_is_in_recovery()")
                ).fetchone()
        except (psycopg.Error, TimeoutError):
            await self.close()
            return False
        return found is not None and not found[0]

    async def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                await self._connection.close()
            self._connection = None
