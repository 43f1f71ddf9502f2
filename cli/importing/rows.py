"""What every kind of file is read as."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from cli.importing.faults import Fault


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written."""

    encoding: str = "utf-8"
    delimiter: str = ","


class Row(NamedTuple):
    """One row that has the header's number of cells."""

    number: int
    cells: Sequence[Any]  # Of the columns asked for, in that order.


class Source(Protocol):
    """An open file."""

    header: Sequence[str]
    blank_rows: int  # Of those read so far.

    @property
    def share_read(self) -> float:
        """0 to 1."""

    def rows(self, wanted: Sequence[int]) -> Iterator[Row | Fault]:
        """Reads the columns ``wanted``. A row of the wrong length comes as its fault.

        Raises:
            FileRejected: the file cannot be read any further.
        """

    def close(self) -> None: ...
