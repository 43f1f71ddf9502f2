"""The rules of the stock ledger. Pure: no clock, no database, no protobuf."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, NewType
from uuid import UUID

from services.chassis.errors import FailedPrecondition, NotFound, RequestIdReused

MOST_DELTA_UNITS = 1_000_000
MOST_LEVEL_UNITS = 1_000_000_000

Sku = NewType("Sku", str)
StoreId = NewType("StoreId", str)


class Reason(StrEnum):
    """Why stock moved. The values are stored; never rename one."""

    RECEIPT = "receipt"
    SALE = "sale"
    RETURN = "return"
    TRANSFER = "transfer"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of stock in one store, as the caller states it."""

    request_id: UUID
    store: StoreId
    sku: Sku
    delta_units: int  # Whole units: positive adds, negative takes away, never zero.
    reason: Reason
    occur_time: datetime  # Aware. When it happened, which may be long before it was recorded.
    occur_nanos: int = 0  # 0-999: what occur_time, which counts microseconds, cannot hold.


@dataclass(frozen=True, slots=True)
class Level:
    """What the ledger says of one SKU in one store."""

    on_hand_units: int  # The sum of its movements.
    sequence: int  # How many movements it has had. Zero if it was never stocked.


@dataclass(frozen=True, slots=True)
class Posting:
    """A movement that the ledger has accepted."""

    movement: Movement
    on_hand_units: int  # In the store, after the movement. Never negative.
    sequence: int  # 1 for the first movement of the SKU in the store, and so on without a gap.
    record_time: datetime


@dataclass(frozen=True, slots=True)
class StockLevel:
    """A level as it is listed, with what its SKU is."""

    store: StoreId
    sku: Sku
    on_hand_units: int
    style: str
    colour: str
    size: str
    update_time: datetime


@dataclass(frozen=True, slots=True)
class StockPeriod:
    """Days, both included, in the time zone of whichever store is meant."""

    start_date: date
    end_date: date


class StockDay(NamedTuple):
    """What was on hand when a day ended."""

    store: StoreId
    sku: Sku
    stock_date: date
    on_hand_units: int  # Never negative.


class StoreNotFound(NotFound):
    reason = "STORE_NOT_FOUND"


class SkuNotFound(NotFound):
    reason = "SKU_NOT_FOUND"


class LevelNotFound(NotFound):
    reason = "LEVEL_NOT_FOUND"


class InsufficientStock(FailedPrecondition):
    reason = "INSUFFICIENT_STOCK"


class LevelLimit(FailedPrecondition):
    reason = "LEVEL_LIMIT"


def post(movement: Movement, *, level: Level, now: datetime) -> Posting:
    """Posts ``movement`` on ``level``.

    Raises:
        InsufficientStock: the level would fall below zero.
        LevelLimit: the level would rise above `MOST_LEVEL_UNITS`.
    """
    after_units = level.on_hand_units + movement.delta_units
    if after_units < 0:
        raise InsufficientStock(
            f"{-movement.delta_units} units of {movement.sku} wanted, "
            f"{level.on_hand_units} on hand.",
            sku=movement.sku,
            on_hand_units=level.on_hand_units,
        )
    if after_units > MOST_LEVEL_UNITS:
        raise LevelLimit(
            f"{movement.sku} would have {after_units} units on hand; {MOST_LEVEL_UNITS} is the "
            "limit.",
            sku=movement.sku,
            on_hand_units=level.on_hand_units,
        )
    return Posting(movement, after_units, sequence=level.sequence + 1, record_time=now)


def answer_again(earlier: Posting, movement: Movement) -> Posting:
    """Returns the first answer to a retry.

    Raises:
        RequestIdReused: ``movement`` is not what was posted, if only by a nanosecond.
    """
    if earlier.movement != movement:
        raise RequestIdReused(movement.request_id)
    return earlier
