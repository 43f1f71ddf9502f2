"""The stock ledger in PostgreSQL.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
So no statement here names a tenant, and none can forget to.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, exists, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.paging import Page
from services.inventory.domain import (
    Level,
    Movement,
    Posting,
    Reason,
    Sku,
    SkuNotFound,
    StockLevel,
    StoreId,
    StoreNotFound,
)
from services.inventory.tables import LevelRow, MovementRow, SkuRow, StoreRow


class LedgerStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock_level(self, store: StoreId, sku: Sku, *, now: datetime) -> Level:
        """Returns the level, locked until the transaction ends. Makes it if never stocked.

        Raises:
            StoreNotFound: the tenant has no such store.
            SkuNotFound: the tenant has no such SKU.
        """
        level = await self._lock(store, sku)
        if level is not None:
            return level
        await self._check_exist(store, sku)
        await self._session.execute(
            postgresql.insert(LevelRow)
            .values(store=store, sku=sku, update_time=now)
            .on_conflict_do_nothing()
        )
        made = await self._lock(store, sku)
        if made is None:
            raise LookupError("A level vanished; levels are never deleted.")
        return made

    async def find_posting(self, request_id: UUID) -> Posting | None:
        row = await self._session.scalar(
            select(MovementRow).where(MovementRow.movement_id == request_id)
        )
        return None if row is None else _posting_from(row)

    async def append(self, posting: Posting) -> None:
        """Writes the movement and the level that it leaves. The level must be locked already."""
        movement = posting.movement
        await self._session.execute(
            insert(MovementRow).values(
                movement_id=movement.request_id,
                store=movement.store,
                sku=movement.sku,
                sequence=posting.sequence,
                before_units=posting.on_hand_units - movement.delta_units,
                delta_units=movement.delta_units,
                on_hand_units=posting.on_hand_units,
                reason=movement.reason,
                occur_time=movement.occur_time,
                occur_nanos=movement.occur_nanos,
                record_time=posting.record_time,
            )
        )
        await self._session.execute(
            update(LevelRow)
            .where(LevelRow.store == movement.store, LevelRow.sku == movement.sku)
            .values(
                on_hand_units=posting.on_hand_units,
                last_sequence=posting.sequence,
                update_time=posting.record_time,
            )
        )

    async def find_level(self, store: StoreId, sku: Sku) -> StockLevel | None:
        rows = await self._session.execute(
            _LEVELS.where(LevelRow.store == store, LevelRow.sku == sku)
        )
        row = rows.one_or_none()
        return None if row is None else _level_from(row)

    async def list_levels(
        self, store: StoreId | None, page: Page
    ) -> tuple[list[StockLevel], tuple[str, ...] | None]:
        """Returns a page by store and SKU, and the key of its last row if there are more.

        Args:
            store: None for all of them.
            page: keyed by (store, sku).
        """
        found = _LEVELS.order_by(LevelRow.store, LevelRow.sku).limit(page.size + 1)
        if store is not None:
            found = found.where(LevelRow.store == store)
        if page.after is not None:
            found = found.where(tuple_(LevelRow.store, LevelRow.sku) > page.after)
        rows = (await self._session.execute(found)).all()
        levels = [_level_from(row) for row in rows[: page.size]]
        more = len(rows) > page.size
        return levels, (levels[-1].store, levels[-1].sku) if more else None

    async def _lock(self, store: StoreId, sku: Sku) -> Level | None:
        rows = await self._session.execute(
            select(LevelRow.on_hand_units, LevelRow.last_sequence)
            .where(LevelRow.store == store, LevelRow.sku == sku)
            .with_for_update(key_share=True)
        )
        row = rows.one_or_none()
        return None if row is None else Level(row.on_hand_units, row.last_sequence)

    async def _check_exist(self, store: StoreId, sku: Sku) -> None:
        # Neither is ever deleted, so what is found here stays.
        rows = await self._session.execute(
            select(
                exists().where(StoreRow.store == store).label("store"),
                exists().where(SkuRow.sku == sku).label("sku"),
            )
        )
        found = rows.one()
        if not found.store:
            raise StoreNotFound(f"There is no store stores/{store}.", store=store)
        if not found.sku:
            raise SkuNotFound(f"No style has the SKU {sku}.", sku=sku)


_LEVELS: Select[str, str, int, datetime, str, str, str] = select(
    LevelRow.store,
    LevelRow.sku,
    LevelRow.on_hand_units,
    LevelRow.update_time,
    SkuRow.style,
    SkuRow.colour,
    SkuRow.size,
).join(SkuRow, SkuRow.sku == LevelRow.sku)


def _level_from(row: Row[str, str, int, datetime, str, str, str]) -> StockLevel:
    return StockLevel(
        store=StoreId(row.store),
        sku=Sku(row.sku),
        on_hand_units=row.on_hand_units,
        style=row.style,
        colour=row.colour,
        size=row.size,
        update_time=row.update_time,
    )


def _posting_from(row: MovementRow) -> Posting:
    movement = Movement(
        request_id=row.movement_id,
        store=StoreId(row.store),
        sku=Sku(row.sku),
        delta_units=row.delta_units,
        reason=Reason(row.reason),
        occur_time=row.occur_time,
        occur_nanos=row.occur_nanos,
    )
    return Posting(movement, row.on_hand_units, row.sequence, row.record_time)
