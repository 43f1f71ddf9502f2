"""Plans in PostgreSQL, as they were known at a moment.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.chassis.paging import Page
from services.forecast.domain.plans import Event, Plan, Promotion
from services.forecast.fields import ALL_STORES
from services.forecast.tables.plans import CalendarEventRow, PromotionRow

PROMOTION_KEY = (
    PromotionRow.promotion,
    PromotionRow.store,
    PromotionRow.scope,
    PromotionRow.target,
)
EVENT_KEY = (CalendarEventRow.event, CalendarEventRow.store, CalendarEventRow.start_date)


class PlanStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def promotions(
        self, as_of: datetime, store: str | None, page: Page
    ) -> tuple[list[Promotion], tuple[str, ...] | None]:
        """Returns a page of what was known, and the key of its last row if there are more.

        Args:
            as_of: what became known later is as if it were not there.
            store: only what holds there; None for everything.
            page: keyed by (promotion, store, scope, target).
        """
        limits = _limits(PromotionRow, store)
        if page.after is not None:
            limits.append(tuple_(*PROMOTION_KEY) > page.after)
        query = _known(Promotion, PromotionRow, PROMOTION_KEY, as_of, limits)
        rows = (await self._session.execute(query.limit(page.size + 1))).all()
        kept = [Promotion(*row) for row in rows[: page.size]]
        return kept, kept[-1][:4] if len(rows) > page.size else None

    async def events(
        self, as_of: datetime, store: str | None, page: Page
    ) -> tuple[list[Event], tuple[str | int, ...] | None]:
        """The same for the calendar. The page is keyed by (event, store, ordinal of the day)."""
        limits = _limits(CalendarEventRow, store)
        if page.after is not None:
            event, place, day = page.after
            after = (event, place, date.fromordinal(int(day)))
            limits.append(tuple_(*EVENT_KEY) > after)
        query = _known(Event, CalendarEventRow, EVENT_KEY, as_of, limits)
        rows = (await self._session.execute(query.limit(page.size + 1))).all()
        kept = [Event(*row) for row in rows[: page.size]]
        if len(rows) == len(kept):
            return kept, None
        return kept, (kept[-1].event, kept[-1].store, kept[-1].start_date.toordinal())


async def plan_between(session: AsyncSession, as_of: datetime, first: date, last: date) -> Plan:
    """All that touches these days, as it was known at ``as_of``."""
    promotions = _known(Promotion, PromotionRow, PROMOTION_KEY, as_of, [], (first, last))
    events = _known(Event, CalendarEventRow, EVENT_KEY, as_of, [], (first, last))
    return Plan(
        [Promotion(*row) for row in await session.execute(promotions)],
        [Event(*row) for row in await session.execute(events)],
    )


def _limits(table: Any, store: str | None) -> list[ColumnElement[bool]]:
    return [] if store is None else [table.store.in_((store, ALL_STORES))]


def _known(
    kind: type[Promotion] | type[Event],
    table: Any,
    key: tuple[InstrumentedAttribute[Any], ...],
    as_of: datetime,
    limits: list[ColumnElement[bool]],
    days: tuple[date, date] | None = None,
) -> Select[Any]:
    """The newest version of each key that was known, by key, unless that calls it off.

    Rows have the fields of ``kind``. Those that do not touch ``days``, if given, are left out: only
    once it is known which version holds.
    """
    newest = (
        select(table)
        .ext(distinct_on(*key))
        .where(table.known_time <= as_of, *limits)
        .order_by(*key, table.known_time.desc())
        .subquery()
    )
    found = (
        select(*(newest.c[name] for name in kind._fields))
        .where(newest.c.cancelled.is_(False))
        .order_by(*(newest.c[column.key] for column in key))
    )
    if days is None:
        return found
    return found.where(newest.c.start_date <= days[1], newest.c.end_date >= days[0])
