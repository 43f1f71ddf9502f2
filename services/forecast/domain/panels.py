"""What part of a tenant's history is read, and as it was known when. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from zlib import crc32

SUNDAY = 6
WEEK_DAYS = 7


class SeriesName(NamedTuple):
    """What a row of a panel stands for."""

    store: str
    sku: str
    product: str  # As the last sale named it.


class ShardKey(StrEnum):
    """What keeps together: series of one key are in one shard."""

    PRODUCT = "product"  # As the last sale of the SKU anywhere named it; the SKU, if none did.
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` parts of a tenant's series, of about the same size. No series is in two."""

    index: int = 0  # From 0.
    count: int = 1
    key: ShardKey = ShardKey.PRODUCT

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ValueError(f"shard: {self.index} of {self.count}; it must be 0 to count - 1.")

    def part_of(self, key: str) -> int:
        """The index of the shard of the product or store ``key``: everywhere the same."""
        return crc32(key.encode()) % self.count


WHOLE = Shard()


@dataclass(frozen=True, slots=True)
class View:
    """How a history is looked at."""

    as_of: datetime | None = None
    """Plans are read as they were known then, and prices paid from that day on are not looked at;
    everything as it is known now, if None."""
    week_end: int = SUNDAY
    """The last day of a week, Monday 0. Only for weeks."""
    ahead: bool = True
    """Whether what is known in advance is read at all: plans, prices and the calendar, of which
    each column takes as much memory as the sales."""

    def __post_init__(self) -> None:
        if not 0 <= self.week_end < WEEK_DAYS:
            raise ValueError("week_end: 0 (Monday) to 6 (Sunday).")


NOW = View()
