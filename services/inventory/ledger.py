"""The ledger's one use case, inside one transaction."""

from datetime import datetime

from services.inventory.domain import Movement, Posting, answer_again, post
from services.inventory.store import LedgerStore


async def record_movement(movement: Movement, *, store: LedgerStore, now: datetime) -> Posting:
    """Appends ``movement`` to the ledger once, however often the caller retries.

    Raises:
        StoreNotFound: the tenant has no such store.
        SkuNotFound: the tenant has no such SKU.
        InsufficientStock: the level would fall below zero.
        LevelLimit: the level would rise above the limit.
        RequestIdReused: the request_id already belongs to a different movement.
    """
    # Lock first. Two retries in flight then queue up here, and the second one finds the posting of
    # the first; the other way round both would find nothing and both would post. Two different
    # movements with one request_id may meet at the primary key instead: the later one is ABORTED,
    # and its retry is told of the reuse.
    level = await store.lock_level(movement.store, movement.sku, now=now)
    earlier = await store.find_posting(movement.request_id)
    if earlier is not None:
        return answer_again(earlier, movement)
    posting = post(movement, level=level, now=now)
    await store.append(posting)
    return posting
