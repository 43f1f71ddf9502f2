"""The catalogue in PostgreSQL. Row-level security names the tenant, as in `store`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.paging import Page
from services.inventory.domain import Sku, StoreId
from services.inventory.domain_catalog import Choice, Listed, Size, Store, Style
from services.inventory.tables import ChoiceRow, SkuRow, StoreRow, StyleRow

Made = tuple[bytes | None, datetime]
"""The fingerprint of the request that made something, and when."""


class CatalogStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_store(
        self, store: Store, *, request_id: UUID, fingerprint: bytes, now: datetime
    ) -> bool:
        """Returns whether it was added. Not if its name or the request_id is taken."""
        added = await self._session.scalars(
            postgresql.insert(StoreRow)
            .values(
                store=store.name,
                display_name=store.display_name,
                time_zone=store.time_zone,
                create_time=now,
                request_id=request_id,
                fingerprint=fingerprint,
            )
            .on_conflict_do_nothing()
            .returning(StoreRow.store)
        )
        return added.one_or_none() is not None

    async def store_made_by(self, request_id: UUID) -> Made | None:
        found = await self._session.execute(
            select(StoreRow.fingerprint, StoreRow.create_time).where(
                StoreRow.request_id == request_id
            )
        )
        row = found.one_or_none()
        return None if row is None else (row.fingerprint, row.create_time)

    async def list_stores(self, page: Page) -> tuple[list[Listed[Store]], tuple[str, ...] | None]:
        """Returns a page by name, and the key of its last row if there are more."""
        found = select(StoreRow).order_by(StoreRow.store).limit(page.size + 1)
        if page.after is not None:
            found = found.where(StoreRow.store > page.after[0])
        rows = (await self._session.scalars(found)).all()
        stores = [
            Listed(Store(StoreId(row.store), row.display_name, row.time_zone), row.create_time)
            for row in rows[: page.size]
        ]
        return stores, (stores[-1].item.name,) if len(rows) > page.size else None

    async def add_style(
        self, style: Style, *, request_id: UUID, fingerprint: bytes, now: datetime
    ) -> bool:
        """Adds the style and its choices, without sizes. Returns whether it was added.

        Not if its name or the request_id is taken.
        """
        added = await self._session.scalars(
            postgresql.insert(StyleRow)
            .values(
                style=style.name,
                display_name=style.display_name,
                category=style.category,
                create_time=now,
                request_id=request_id,
                fingerprint=fingerprint,
            )
            .on_conflict_do_nothing()
            .returning(StyleRow.style)
        )
        if added.one_or_none() is None:
            return False
        await self._session.execute(
            insert(ChoiceRow),
            [
                {"style": style.name, "colour": choice.colour, "position": position}
                for position, choice in enumerate(style.choices)
            ],
        )
        return True

    async def add_sizes(self, style: Style) -> Sku | None:
        """Adds the sizes of a new style. Returns a SKU that another style has, if there is one."""
        # By SKU, as every writer goes: two styles that fight over SKUs queue up, not deadlock.
        rows: list[dict[str, object]] = [
            {
                "sku": size.sku,
                "style": style.name,
                "colour": choice.colour,
                "size": size.size,
                "position": position,
            }
            for size, choice, position in sorted(
                (
                    (size, choice, position)
                    for choice in style.choices
                    for position, size in enumerate(choice.sizes)
                ),
                key=lambda placed: placed[0].sku,
            )
        ]
        added = await self._session.scalars(
            postgresql.insert(SkuRow).on_conflict_do_nothing().returning(SkuRow.sku), rows
        )
        taken = set(style.skus) - set(added)
        return min(taken) if taken else None

    async def style_made_by(self, request_id: UUID) -> Made | None:
        found = await self._session.execute(
            select(StyleRow.fingerprint, StyleRow.create_time).where(
                StyleRow.request_id == request_id
            )
        )
        row = found.one_or_none()
        return None if row is None else (row.fingerprint, row.create_time)

    async def find_style(self, name: str) -> Listed[Style] | None:
        row = await self._session.scalar(select(StyleRow).where(StyleRow.style == name))
        return None if row is None else (await self._with_choices([row]))[0]

    async def list_styles(self, page: Page) -> tuple[list[Listed[Style]], tuple[str, ...] | None]:
        """Returns a page by name, and the key of its last row if there are more."""
        found = select(StyleRow).order_by(StyleRow.style).limit(page.size + 1)
        if page.after is not None:
            found = found.where(StyleRow.style > page.after[0])
        rows = (await self._session.scalars(found)).all()
        styles = await self._with_choices(rows[: page.size])
        return styles, (styles[-1].item.name,) if len(rows) > page.size else None

    async def _with_choices(self, rows: Sequence[StyleRow]) -> list[Listed[Style]]:
        sizes = await self._session.execute(
            select(SkuRow.style, SkuRow.colour, SkuRow.size, SkuRow.sku)
            .join(
                ChoiceRow, (ChoiceRow.style == SkuRow.style) & (ChoiceRow.colour == SkuRow.colour)
            )
            .where(SkuRow.style.in_([row.style for row in rows]))
            .order_by(SkuRow.style, ChoiceRow.position, SkuRow.position)
        )
        choices = {
            style: _choices((row.colour, row.size, row.sku) for row in group)
            for style, group in groupby(sizes, key=lambda row: row.style)
        }
        return [
            Listed(
                Style(row.style, row.display_name, row.category, choices.get(row.style, ())),
                row.create_time,
            )
            for row in rows
        ]


def _choices(sizes: Iterable[tuple[str, str, str]]) -> tuple[Choice, ...]:
    return tuple(
        Choice(colour, tuple(Size(size, Sku(sku)) for _, size, sku in group))
        for colour, group in groupby(sizes, key=lambda size: size[0])
    )
