"""A line of an import of sales. Pure."""

from datetime import date
from typing import NamedTuple

MOST_LINES = 2_000_000


class SalesLine(NamedTuple):
    """One line of one receipt, invoice or daily total. Each field keeps its rule."""

    row: int  # Of the caller's file.
    document: str
    store: str
    sku: str
    product: str  # Never empty: the SKU, if the file names nothing else.
    sale_date: date
    units: int  # Sold, or returned if negative.
    unit_price_micros: int
