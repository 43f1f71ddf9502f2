"""Making styles and stores: one function a use case, each inside one transaction."""

from datetime import datetime
from uuid import UUID

from services.chassis.errors import RequestIdReused
from services.inventory.domain_catalog import (
    SkuExists,
    Store,
    StoreExists,
    Style,
    StyleExists,
    fingerprint,
)
from services.inventory.store_catalog import CatalogStore, Made


async def create_style(
    style: Style, request_id: UUID, *, store: CatalogStore, now: datetime
) -> datetime:
    """Makes ``style`` once, however often the caller retries. Returns when it was made.

    Raises:
        StyleExists: its name is taken.
        SkuExists: another style has one of its SKUs.
        RequestIdReused: the request_id made a different style.
    """
    own = fingerprint(style)
    if await store.add_style(style, request_id=request_id, fingerprint=own, now=now):
        taken = await store.add_sizes(style)
        if taken is not None:
            raise SkuExists(f"Another style has the SKU {taken}.", sku=taken)
        return now
    made = await store.style_made_by(request_id)
    if made is None:
        raise StyleExists(f"There is a style styles/{style.name} already.", style=style.name)
    return _first_answer(made, own, request_id)


async def create_store(
    new: Store, request_id: UUID, *, store: CatalogStore, now: datetime
) -> datetime:
    """Makes the store ``new`` once, however often the caller retries. Returns when it was made.

    Raises:
        StoreExists: its name is taken.
        RequestIdReused: the request_id made a different store.
    """
    own = fingerprint(new)
    if await store.add_store(new, request_id=request_id, fingerprint=own, now=now):
        return now
    made = await store.store_made_by(request_id)
    if made is None:
        raise StoreExists(f"There is a store stores/{new.name} already.", store=new.name)
    return _first_answer(made, own, request_id)


def _first_answer(made: Made, own: bytes, request_id: UUID) -> datetime:
    earlier, create_time = made
    if earlier != own:
        raise RequestIdReused(request_id)
    return create_time
