"""What SKUs and stores are, and what was on the shelf. Pure."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

MOST_VALUES = 2_000_000  # An import, as is the next.
MOST_STOCK_LINES = 2_000_000
MOST_ATTRIBUTES = 32  # Of one line.


class Subject(StrEnum):
    """What an attribute describes. The values are stored; never rename one."""

    SKU = "sku"
    STORE = "store"


class AttributeValue(NamedTuple):
    """One attribute of one SKU or store."""

    row: int  # Of the caller's file.
    subject: str
    code: str
    attribute: str
    value: str


class StockDay(NamedTuple):
    """The level of one SKU in one store at the end of one day."""

    row: int  # Of the caller's file; 0 if it comes from the database.
    store: str
    sku: str
    stock_date: date
    on_hand_units: int
