"""What every import by stream does on the wire: patience, turns, one transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.imports import IMPORTS_AT_ONCE, prompt
from services.forecast.domain.imports import Batch, Imported
from services.forecast.fields import refusal
from services.forecast.imports import LineStore, import_lines
from services.forecast.wire.lines import MessageReader

Line = TypeVar("Line", bound=tuple[Any, ...])


class Importer:
    """Shared by all services of a process: their imports take turns."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._turns = asyncio.Semaphore(IMPORTS_AT_ONCE)

    async def run(
        self,
        messages: AsyncIterator[Any],
        reading: Callable[[datetime], MessageReader[Line]],
        storing: Callable[[AsyncSession, datetime], LineStore[Line]],
    ) -> Imported:
        """Imports what ``messages`` carry.

        Args:
            messages: of one stream.
            reading: makes the reader of an import that begins now.
            storing: makes its store, once the first message has been read.
        """
        now = self._clock()
        reader = reading(now)
        arriving = prompt(messages)
        # Nobody holds a connection for a caller that has not begun.
        first = await anext(arriving, None)
        if first is None:
            raise refusal("request_id", "the first message must name the import.")
        opening = reader.read(first)

        async def batches() -> AsyncIterator[Batch[Line]]:
            yield opening
            async for message in arriving:
                yield reader.read(message)

        async with self._turns, self._database.transaction() as session:
            return await import_lines(
                opening.request_id, batches(), store=storing(session, now), now=now
            )
