"""Attributes and stock days in PostgreSQL.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from datetime import date

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.paging import Page
from services.forecast.domain.facts import StockDay, Subject
from services.forecast.tables.plans import AttributeRow, StockDayRow

STOCK_KEY = (StockDayRow.store, StockDayRow.sku, StockDayRow.stock_date)


class FactStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def attributes(
        self, subject: Subject, page: Page
    ) -> tuple[dict[str, dict[str, str]], tuple[str] | None]:
        """Returns attributes by code, and the last code if there are more. Keyed by (code,)."""
        codes = select(AttributeRow.code).where(AttributeRow.subject == subject)
        if page.after is not None:
            codes = codes.where(AttributeRow.code > page.after[0])
        codes = codes.distinct().order_by(AttributeRow.code).limit(page.size + 1)
        found = list((await self._session.scalars(codes)).all())
        kept = found[: page.size]
        rows = await self._session.execute(
            select(AttributeRow.code, AttributeRow.attribute, AttributeRow.value).where(
                AttributeRow.subject == subject, AttributeRow.code.in_(kept)
            )
        )
        attributes: dict[str, dict[str, str]] = {code: {} for code in kept}
        for code, attribute, value in rows:
            attributes[code][attribute] = value
        return attributes, (kept[-1],) if len(found) > page.size else None

    async def stock_days(
        self, store: str | None, sku: str | None, page: Page
    ) -> tuple[list[StockDay], tuple[str, str, int] | None]:
        """Returns a page, and the key of its last row if there are more.

        Args:
            store: None for all of them.
            sku: the same.
            page: keyed by (store, sku, ordinal of the day).
        """
        query = select(StockDayRow).order_by(*STOCK_KEY).limit(page.size + 1)
        if store is not None:
            query = query.where(StockDayRow.store == store)
        if sku is not None:
            query = query.where(StockDayRow.sku == sku)
        if page.after is not None:
            of_store, of_sku, day = page.after
            after = (of_store, of_sku, date.fromordinal(int(day)))
            query = query.where(tuple_(*STOCK_KEY) > after)
        rows = (await self._session.scalars(query)).all()
        found = [
            StockDay(0, row.store, row.sku, row.stock_date, row.on_hand_units)
            for row in rows[: page.size]
        ]
        if len(rows) <= page.size:
            return found, None
        last = found[-1]
        return found, (last.store, last.sku, last.stock_date.toordinal())
