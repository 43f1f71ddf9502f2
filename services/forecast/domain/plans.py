"""Promotions, events and closed days: what is planned, and since when it is known. Pure."""

from datetime import date, datetime
from typing import NamedTuple

MOST_PROMOTIONS = 200_000  # An import, as is the next.
MOST_EVENTS = 100_000
EVERYTHING = "all"
SKU = "sku"
PRODUCT = "product"


class PromotionLine(NamedTuple):
    """One version of a promotion. It is known by its name, store, scope and target."""

    row: int  # Of the caller's file.
    promotion: str
    store: str  # `-` for all of them.
    scope: str  # What the target is: an SKU, a product, an attribute's value, or everything.
    target: str
    start_date: date
    end_date: date  # Included.
    kind: str
    discount_share: float
    price_micros: int | None
    cancelled: bool


class CalendarLine(NamedTuple):
    """One version of an event. It is known by its name, store and first day."""

    row: int  # Of the caller's file.
    event: str
    store: str  # `-` for all of them.
    start_date: date
    end_date: date  # Included.
    closed: bool
    cancelled: bool


class Promotion(NamedTuple):
    """A promotion as it was known at a moment."""

    promotion: str
    store: str
    scope: str
    target: str
    start_date: date
    end_date: date
    kind: str
    discount_share: float
    price_micros: int | None
    known_time: datetime


class Event(NamedTuple):
    """An event as it was known at a moment."""

    event: str
    store: str
    start_date: date
    end_date: date
    closed: bool
    known_time: datetime


class Plan(NamedTuple):
    """All that was planned, as it was known at a moment."""

    promotions: list[Promotion]
    events: list[Event]
