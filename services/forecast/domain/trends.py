"""Trends and popularity: what may be asked, and what is answered. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

MOST_STORES = 100
MOST_ATTRIBUTES = 10
DEFAULT_DAYS, LEAST_DAYS, MOST_DAYS = 91, 7, 730
MOST_CHANGE_POINTS = 5
PRODUCT, STORE = "product", "store"


class TrendState(IntEnum):
    """Numbered as on the wire."""

    STEADY = 1
    EMERGING = 2
    RISING = 3
    PEAKING = 4
    FADING = 5


@dataclass(frozen=True, slots=True)
class Question:
    """Which series are looked at, and how they are put together."""

    group_by: str = PRODUCT  # `product`, `store`, or an attribute of SKUs.
    stores: tuple[str, ...] = ()  # All, if empty.
    attributes: tuple[tuple[str, str], ...] = ()  # Names and values; all must hold.
    as_of: date | None = None  # The last sale, if None.
    days: int | None = None  # Back from there; all of the history, if None.

    @property
    def key(self) -> str:
        """Equal for equal questions."""
        return repr((self.group_by, self.stores, self.attributes, self.as_of, self.days))


class ChangePoint(NamedTuple):
    first_day: date
    ratio: float


class TrendOf(NamedTuple):
    """How a group is doing. Growth is a ratio of 8 weeks to the 8 before, net of the season."""

    group: str
    rank: int  # From 1.
    state: TrendState
    growth_ratio: float
    growth_ratio_p10: float
    growth_ratio_p90: float
    rising_probability: float
    outlook_ratio: float
    recent_units: int
    previous_units: int
    change_points: tuple[ChangePoint, ...]


class PopularityOf(NamedTuple):
    """How a group sells where and while it can be bought; the average group is 1."""

    group: str
    rank: int  # From 1.
    rate: float
    rate_p10: float
    units: int
    availability_share: float
