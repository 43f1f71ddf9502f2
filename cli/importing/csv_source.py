"""CSV by the strict rules: a quote that is not closed is an error, not a cell of 40,000 rows."""

import csv
import re
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

from cli.importing.faults import Fault, FileRejected
from cli.importing.rows import Dialect, Row

UNDECODED = re.compile("[\udc80-\udcff]")  # What `surrogateescape` makes of a byte it cannot read.


class CsvSource:
    """Rows are counted as a spreadsheet does: a cell with a line break does not begin a new one."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._size = path.stat().st_size
        self._binary = path.open("rb")
        self._encoding = dialect.encoding
        self._text = TextIOWrapper(
            self._binary, encoding=dialect.encoding, errors="surrogateescape", newline=""
        )
        self._row = 0
        self.blank_rows = 0
        self._records = self._read(dialect.delimiter)
        try:
            self.header = self._header()
        except FileRejected:
            self.close()
            raise

    def _header(self) -> Sequence[str]:
        header = next(self._records, [])
        if not any(name.strip() for name in header):
            raise FileRejected(Fault("the header is empty", "put the names of the columns", 1))
        return header

    @property
    def share_read(self) -> float:
        return self._binary.tell() / self._size

    def rows(self, wanted: Sequence[int]) -> Iterator[Row | Fault]:
        expected = len(self.header)
        for cells in self._records:
            if not any(cells):
                self.blank_rows += 1
            elif len(cells) == expected:
                yield Row(self._row, [cells[index] for index in wanted])
            else:
                yield Fault(
                    f"{len(cells)} cells, but the header has {expected}",
                    "quote cells that hold the delimiter, or fill the row up",
                    self._row,
                )

    def close(self) -> None:
        self._text.close()

    def _read(self, delimiter: str) -> Iterator[list[str]]:
        reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise FileRejected(self._broken(str(error))) from None
            except UnicodeDecodeError as error:
                raise FileRejected(self._undecoded(error.object[error.start])) from None
            if cells is None:
                return
            self._row += 1
            yield cells

    def _lines(self) -> Iterator[str]:
        for line in self._text:
            if not line.isascii() and (found := UNDECODED.search(line)):
                raise FileRejected(self._undecoded(ord(found[0]) - 0xDC00))
            if "\0" in line:
                raise FileRejected(
                    Fault(
                        "holds a NUL byte: UTF-16 without a byte-order mark, or not text at all",
                        "give --encoding utf-16-le, or save the file as UTF-8",
                        self._row + 1,
                    )
                )
            yield line

    def _undecoded(self, byte: int) -> Fault:
        remedy = "give --encoding latin-1, or save the file as UTF-8"
        if self._encoding not in ("utf-8", "utf-8-sig", "ascii"):
            remedy = "give the encoding that the file was saved in"
        return Fault(f"byte 0x{byte:02x} is not {self._encoding}", remedy, self._row + 1)

    def _broken(self, error: str) -> Fault:
        if "field limit" in error:
            problem = f"a cell is longer than {csv.field_size_limit():,} characters"
        elif "end of data" in error:
            problem = "a quote is opened here and never closed"
        else:
            problem = "a quote is not closed, or a quote inside of a quoted cell is not doubled"
        return Fault(problem, "close it, or double the quotes inside", self._row + 1)
