"""What is asked about a product that never sold, and answered. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from services.chassis.errors import NotFound

DEFAULT_WEEKS, MOST_WEEKS = 13, 52
MOST_STORES = 1_000
MOST_ATTRIBUTES = 20
MOST_ANALOGUES = 20
MOST_WEIGHT = 1_000.0
MOST_SIZES = 50
HISTORY_DAYS = 728
"""How far back launches are looked at: two years."""


class AnalogueNotFound(NotFound):
    reason = "ANALOGUE_NOT_FOUND"


class StoreNotFound(NotFound):
    reason = "STORE_NOT_FOUND"


class SizeNotFound(NotFound):
    reason = "SIZE_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class NewProduct:
    attributes: tuple[tuple[str, str], ...]
    stores: tuple[str, ...]  # All that sold within the year, if empty.
    weeks: int
    analogues: tuple[tuple[str, float], ...]  # Products and weights; chosen, if empty.
    sizes: tuple[str, ...] = ()  # Those of the analogues, if empty.


class Analogue(NamedTuple):
    product: str
    weight: float  # They add up to 1.
    similarity: float


class SizeShare(NamedTuple):
    """Of the units of a product; all of them add up to 1."""

    size: str
    share: float


class StoreForecast(NamedTuple):
    """Units of the whole horizon, and the mean of each week."""

    store: str
    mean: float
    p10: float
    p50: float
    p90: float
    weekly: tuple[float, ...]


class Expected(NamedTuple):
    stores: list[StoreForecast]
    analogues: list[Analogue]  # Heaviest first.
    sizes: list[SizeShare]  # Empty where no sizes are known.
