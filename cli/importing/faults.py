"""What is wrong with a file: where, what, and how to put it right."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to put right. The row is the one a person sees: the header of a CSV file is 1."""

    problem: str
    remedy: str = ""
    row: int | None = None
    column: str = ""  # As the file's header has it.
    value: str = ""  # Shortened; only of a column that is imported.

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (
                f"row {self.row}" if self.row is not None else "",
                f"column {self.column}" if self.column else "",
            )
            if part
        )
        shown = f"{self.value!r} " if self.value else ""
        text = f"{shown}{self.problem}"
        text = f"{place}: {text}" if place else text
        return f"{text}; {self.remedy}" if self.remedy else text

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class InvalidValue(ValueError):
    """A cell that breaks its rule. Whoever knows the place makes a `Fault` of it."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def at(self, row: int, column: str, value: object) -> Fault:
        return Fault(self.problem, self.remedy, row, column, shortened(value))


class FileRejected(Exception):
    """The file cannot be read any further."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(str(faults[0]))
        self.faults = faults


@dataclass(slots=True)
class Faults:
    """Counts all faults and keeps the first: a bad file of two million rows is no burden."""

    most_kept: int
    kept: list[Fault] = field(default_factory=list)
    total: int = 0

    def add(self, *faults: Fault) -> None:
        self.total += len(faults)
        self.kept.extend(faults[: max(self.most_kept - len(self.kept), 0)])


def shortened(value: object) -> str:
    """A value on one line, at most 40 characters, without control characters."""
    text = re.sub(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\uffff]+", " ", str(value)).strip()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
