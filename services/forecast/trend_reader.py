"""Reads what a question about trends is about, and answers it; answers are kept in Redis."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from services.chassis.cache import Cache
from services.chassis.database import Database
from services.forecast.domain import Extent, NoSales
from services.forecast.domain_panel import View
from services.forecast.domain_trends import Question
from services.forecast.engine.period import Period
from services.forecast.store_history import edition, measure
from services.forecast.store_panel import Read, read_panel

KEPT_SECONDS = 3600
"""Keys hold the edition of the tenant's data, so nothing kept is ever wrong."""
AnswerT = TypeVar("AnswerT")


class Asked(NamedTuple):
    """A question with its day filled in, and the edition of the data that answers it."""

    question: Question
    edition: str


class TrendReader:
    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def ask(self, question: Question) -> Asked:
        """Fills in the last sale's day where none is given. Raises NoSales."""
        async with self._database.transaction() as session:
            extent = await measure(session)
            found = await edition(session)
        if extent is None or (question.as_of and question.as_of < extent.first_date):
            raise NoSales("There are no sales up to that day. Import the history first.")
        last = min(question.as_of or extent.last_date, extent.last_date)
        return Asked(replace(question, as_of=last), found)

    async def answer(
        self,
        asked: Asked,
        compute: Callable[[Read, Question], Sequence[Any]],
    ) -> list[Any]:
        """What ``compute`` finds in the panel that the question is about, as plain JSON rows."""
        name = f"{compute.__name__}:{asked.question.key}"
        key = f"{asked.edition}:{hashlib.sha256(name.encode()).hexdigest()}"

        async def make() -> bytes:
            read = await self.read(asked.question)
            # In a thread: other calls are answered meanwhile.
            rows = await asyncio.to_thread(compute, read, asked.question)
            return json.dumps(rows, default=str).encode()

        kept = await self._cache.get_or_make(key, make, ttl_seconds=KEPT_SECONDS)
        found: list[Any] = json.loads(kept)
        return found

    async def read(self, question: Question) -> Read:
        """The weeks that a question is about. Raises NoSales."""
        async with self._database.transaction() as session:
            extent = await measure(session)
            if extent is None or question.as_of is None:
                raise NoSales("There are no sales. Import the history first.")
            first = extent.first_date
            if question.days is not None:
                first = max(first, question.as_of - timedelta(days=question.days - 1))
            span = Extent(first, question.as_of, extent.series)
            # Weeks end with the day that is asked about.
            view = View(week_end=question.as_of.weekday())
            return await read_panel(session, span, 1, Period.WEEK, view=view)
