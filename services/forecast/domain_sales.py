"""An import of sales: its lines, what may be wrong with them, what it did. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.chassis.errors import FieldViolation

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


@dataclass(frozen=True, slots=True)
class Batch:
    """One message of an import: the lines in order, and what is wrong with the others."""

    request_id: UUID  # Of the whole import.
    lines: tuple[SalesLine, ...]
    violations: tuple[FieldViolation, ...]
    rejected_lines: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    lines: int
    new_lines: int

    @property
    def known_lines(self) -> int:
        return self.lines - self.new_lines
