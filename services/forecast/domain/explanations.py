"""Why a forecast is what it is, in parts and in words; plans that are tried. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from services.chassis.errors import FailedPrecondition

MOST_CHANGES = 20
MOST_PRICE_MICROS = 10**12
MOST_DISCOUNT = 0.95
MOST_SIZES = 64
"""SKUs of a choice. What has more of them is hardly one choice, and would take long to read."""
WORTH_SAYING = 0.01
"""Share of the whole. A part that moves less is in the figures, not in the sentences."""


class NoState(FailedPrecondition):
    reason = "NO_STATE"


class Part(IntEnum):
    """What a mean is made of. Numbered as on the wire."""

    LEVEL = 1
    SEASON = 2
    TREND = 3
    PROMOTION = 4
    PRICE = 5
    EVENT = 6
    AVAILABILITY = 7
    CORRECTION = 8
    OVERRIDE = 9
    SIZE_SHARE = 10


CAUSES: Mapping[Part, str] = {
    Part.SEASON: "The time of year and the day of the week",
    Part.TREND: "The trend",
    Part.PROMOTION: "Promotions",
    Part.PRICE: "The price",
    Part.EVENT: "Events of the calendar",
    Part.AVAILABILITY: "Closed days",
    Part.CORRECTION: "What similar items and older patterns say",
    Part.OVERRIDE: "What planners changed",
}


class Size(NamedTuple):
    """An SKU of a choice in a store, and what a run keeps of it."""

    sku: str
    size: str
    shard: int
    state: bytes


class Explained(NamedTuple):
    """One period."""

    mean: float
    parts: Mapping[Part, float]  # They add up to the mean.


class PlanChange(NamedTuple):
    """One of price, promotion and no promotion."""

    start_date: date
    end_date: date
    price_micros: int | None = None
    promotion_kind: str | None = None
    discount_share: float = 0.0


def totals(periods: Sequence[Explained]) -> dict[Part, float]:
    """Parts of the whole horizon, each that is not 0 somewhere."""
    found: dict[Part, float] = {}
    for period in periods:
        for part, units in period.parts.items():
            found[part] = found.get(part, 0.0) + units
    return {part: found[part] for part in Part if found.get(part)}


def sentences(periods: Sequence[Explained], size: str) -> list[str]:
    """The same in words, the strongest cause first.

    Args:
        periods: all of the horizon.
        size: whose part `SIZE_SHARE` is; not read without that part.
    """
    whole = sum(period.mean for period in periods)
    parts = totals(periods)
    level = parts.pop(Part.LEVEL, 0.0)
    usual = level + parts.get(Part.SIZE_SHARE, 0.0)
    said = [f"{whole:,.1f} units are expected; at the usual rate it would be {usual:,.1f}."]
    scale = max(abs(whole), abs(usual))
    for part, units in sorted(parts.items(), key=lambda item: -abs(item[1])):
        if abs(units) >= WORTH_SAYING * scale > 0:
            cause = _of_size(size, usual / level) if part is Part.SIZE_SHARE else CAUSES[part]
            said.append(f"{cause}: {units:+,.1f} ({units / scale:+.0%}).")
    return said


def _of_size(size: str, times: float) -> str:
    return f"Size {size} sells {times:.3g} times an average size of this choice"
