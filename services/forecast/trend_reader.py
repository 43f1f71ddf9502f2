"""Reads what a question about trends is about, and answers it; answers are kept in Redis."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from services.chassis.cache import Cache
from services.chassis.database import Database
from services.forecast.domain.forecasts import Extent, NoSales
from services.forecast.domain.panels import View
from services.forecast.domain.trends import Question
from services.forecast.engine.period import Period
from services.forecast.fields import refusal
from services.forecast.panels.read import Read
from services.forecast.stores.history import edition, span
from services.forecast.stores.panel import read_panel

KEPT_SECONDS = 3600
"""Keys hold the edition of the tenant's data, so nothing kept is ever wrong."""
STALE = "something was imported since, and the walk is over; begin again without a token."
MOST_AT_ONCE = 2
AnswerT = TypeVar("AnswerT")


class Asked(NamedTuple):
    """A question with its day filled in, and the edition of the data that answers it."""

    question: Question
    edition: str
    kept_alone: bool = False  # It is answered from what is kept, or not at all.

    def as_before(self, edition: str, as_of: date) -> "Asked":
        """The same question, as the page of a walk that began with ``edition`` answered it.

        What was imported since is not looked at: pages of one walk never mix two editions.
        """
        if edition == self.edition:
            return self
        return Asked(replace(self.question, as_of=as_of), edition, kept_alone=True)


class TrendReader:
    """Reads panels, of which memory holds few at a time: of a large tenant, each is some 100 MB."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        # A call that is given up leaves its thread behind. These are all there are.
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE)

    async def ask(self, question: Question) -> Asked:
        """Fills in the last sale's day where none is given. Raises NoSales."""
        async with self._database.transaction() as session:
            # First: what is imported meanwhile is then of a later edition, and looked at again.
            found = await edition(session)
            days = await span(session)
        if days is None or (question.as_of and question.as_of < days[0]):
            raise NoSales("There are no sales up to that day. Import the history first.")
        return Asked(replace(question, as_of=min(question.as_of or days[1], days[1])), found)

    async def answer(
        self, asked: Asked, compute: Callable[[Read, Question], Sequence[Any]]
    ) -> list[Any]:
        """What ``compute`` finds in the panel that the question is about, as plain JSON rows.

        Raises:
            InvalidArgument: it is about an earlier edition, of which nothing is kept any more.
        """
        name = f"{asked.edition}:{compute.__name__}:{asked.question.key}"
        key = f"trends:{hashlib.sha256(name.encode()).hexdigest()}"

        async def make() -> bytes:
            if asked.kept_alone:
                raise refusal("page_token", STALE)
            rows = await self.compute(asked.question, lambda read: compute(read, asked.question))
            return json.dumps(rows, default=str).encode()

        kept = await self._cache.get_or_make(key, make, ttl_seconds=KEPT_SECONDS)
        found: list[Any] = json.loads(kept)
        return found

    async def compute(self, question: Question, work: Callable[[Read], AnswerT]) -> AnswerT:
        """Does ``work``, in a thread, on the weeks that a question is about. Raises NoSales."""
        async with self._turns:
            read = await self._read(question)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, read)

    async def _read(self, question: Question) -> Read:
        async with self._database.transaction() as session:
            days = await span(session)
            if days is None or question.as_of is None:
                raise NoSales("There are no sales. Import the history first.")
            first = days[0]
            if question.days is not None:
                first = max(first, question.as_of - timedelta(days=question.days - 1))
            # Weeks end with the day that is asked about.
            view = View(week_end=question.as_of.weekday(), ahead=False)
            extent = Extent(first, question.as_of, series=0)  # They are not counted to be read.
            return await read_panel(session, extent, 1, Period.WEEK, view=view)
