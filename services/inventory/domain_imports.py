"""An import of counted levels: its lines, what may be wrong with them, what it did. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.chassis.errors import FieldViolation
from services.chassis.imports import violation
from services.inventory.domain_catalog import MOST_CHOICES, MOST_SIZES

MOST_COUNTED_UNITS = 1_000_000
MOST_LINES = 200_000


class Line(NamedTuple):
    """One counted level. Texts are empty where the file is silent."""

    row: int  # Of the caller's file.
    store: str
    sku: str
    on_hand_units: int
    style: str
    colour: str
    size: str
    category: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The lines of one message: those in order, and what is wrong with the others."""

    lines: tuple[Line, ...]  # Each keeps its field rules.
    violations: tuple[FieldViolation, ...]
    rejected_lines: int


@dataclass(frozen=True, slots=True)
class Heading:
    """What the first message says of the import."""

    request_id: UUID
    count_time: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    lines: int
    movements: int
    new_skus: int
    new_stores: int


class Rule(StrEnum):
    """What a line may break that only the other lines and the catalogue can tell."""

    COUNTED_TWICE = "counted_twice"
    NEW_SKU_UNDESCRIBED = "new_sku_undescribed"
    KNOWN_SKU_DIFFERS = "known_sku_differs"
    NEW_SKU_DIFFERS = "new_sku_differs"
    SIZE_TAKEN = "size_taken"
    SIZE_TWICE = "size_twice"
    TOO_MANY_CHOICES = "too_many_choices"
    TOO_MANY_SIZES = "too_many_sizes"


DESCRIPTIONS = {
    Rule.COUNTED_TWICE: "row {other} counts the same SKU in the same store; keep one of them.",
    Rule.NEW_SKU_UNDESCRIBED: "needed, because the catalogue does not have this line's SKU.",
    Rule.KNOWN_SKU_DIFFERS: "the catalogue says {other} for this SKU; send that, or leave it out.",
    Rule.NEW_SKU_DIFFERS: "row {other} describes the same new SKU differently.",
    Rule.SIZE_TAKEN: "this style, colour and size is the SKU {other} in the catalogue.",
    Rule.SIZE_TWICE: "row {other} gives the same style, colour and size to another SKU.",
    Rule.TOO_MANY_CHOICES: f"the style would have more than {MOST_CHOICES} colours.",
    Rule.TOO_MANY_SIZES: f"the colour would have more than {MOST_SIZES} sizes.",
}


class Breach(NamedTuple):
    """A staged line that breaks a rule."""

    row: int
    field: str
    rule: Rule
    other: str  # The row or the value it disagrees with.

    def violation(self) -> FieldViolation:
        return violation(self.row, self.field, DESCRIPTIONS[self.rule].format(other=self.other))


class Fingerprint:
    """SHA-256 over the lines of an import in order, however they are cut into messages."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, line: Line) -> None:
        # Lengths first: ("ab", "c") and ("a", "bc") must not meet.
        for value in line:
            text = str(value).encode()
            self._hash.update(len(text).to_bytes(4, "big") + text)

    def digest(self) -> bytes:
        return self._hash.digest()
