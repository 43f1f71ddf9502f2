"""What every import of the forecast service is made of. Pure."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from services.chassis.errors import FieldViolation

Line_co = TypeVar("Line_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Batch(Generic[Line_co]):
    """One message of an import: the lines in order, and what is wrong with the others."""

    request_id: UUID  # Of the whole import.
    lines: tuple[Line_co, ...]
    violations: tuple[FieldViolation, ...]
    rejected_lines: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    lines: int
    new_lines: int
    changed_lines: int = 0

    @property
    def known_lines(self) -> int:
        return self.lines - self.new_lines - self.changed_lines
