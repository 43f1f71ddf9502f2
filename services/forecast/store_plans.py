"""Plans in PostgreSQL, as they were known at a moment.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from services.chassis.paging import Page
from services.forecast.domain_plans import Event, Promotion
from services.forecast.fields import ALL_STORES
from services.forecast.tables_plans import CalendarEventRow, PromotionRow

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
        query = _known(PromotionRow, PROMOTION_KEY, as_of, limits).limit(page.size + 1)
        found = [_promotion(row) for row in (await self._session.scalars(query)).all()]
        kept = found[: page.size]
        return kept, kept[-1][:4] if len(found) > page.size else None

    async def events(
        self, as_of: datetime, store: str | None, page: Page
    ) -> tuple[list[Event], tuple[str | int, ...] | None]:
        """The same for the calendar. The page is keyed by (event, store, ordinal of the day)."""
        limits = _limits(CalendarEventRow, store)
        if page.after is not None:
            event, place, day = page.after
            after = (event, place, date.fromordinal(int(day)))
            limits.append(tuple_(*EVENT_KEY) > after)
        query = _known(CalendarEventRow, EVENT_KEY, as_of, limits).limit(page.size + 1)
        found = [_event(row) for row in (await self._session.scalars(query)).all()]
        kept = found[: page.size]
        if len(found) == len(kept):
            return kept, None
        return kept, (kept[-1].event, kept[-1].store, kept[-1].start_date.toordinal())


async def promotions_between(
    session: AsyncSession, as_of: datetime, first: date, last: date
) -> list[Promotion]:
    """All promotions that touch these days, as they were known at ``as_of``."""
    query = _known(PromotionRow, PROMOTION_KEY, as_of, [])
    rows = await session.scalars(query)
    return [_promotion(row) for row in rows if row.start_date <= last and row.end_date >= first]


async def events_between(
    session: AsyncSession, as_of: datetime, first: date, last: date
) -> list[Event]:
    """The same for events and closed days."""
    query = _known(CalendarEventRow, EVENT_KEY, as_of, [])
    rows = await session.scalars(query)
    return [_event(row) for row in rows if row.start_date <= last and row.end_date >= first]


def _limits(table: Any, store: str | None) -> list[ColumnElement[bool]]:
    return [] if store is None else [table.store.in_((store, ALL_STORES))]


def _known(
    table: Any,
    key: tuple[InstrumentedAttribute[Any], ...],
    as_of: datetime,
    limits: list[ColumnElement[bool]],
) -> Select[Any]:
    """The newest version of each key that was known, by key, unless that calls it off."""
    newest = (
        select(table)
        .ext(distinct_on(*key))
        .where(table.known_time <= as_of, *limits)
        .order_by(*key, table.known_time.desc())
        .subquery()
    )
    row = aliased(table, newest)
    return (
        select(row)
        .where(row.cancelled.is_(False))
        .order_by(*(getattr(row, column.key) for column in key))
    )


def _promotion(row: PromotionRow) -> Promotion:
    return Promotion(*(getattr(row, name) for name in Promotion._fields))


def _event(row: CalendarEventRow) -> Event:
    return Event(*(getattr(row, name) for name in Event._fields))
