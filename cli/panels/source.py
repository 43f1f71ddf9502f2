"""Opens a panel and reads the columns that are needed: nothing else is even loaded."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from cli.problems import Problem

PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
DELIMITERS = ",;\t|"
MOST_NAMED = 30
TEXT = ("unique_id", "ds")  # Of a CSV file: never guessed to be numbers, "007" is not 7.


class Source:
    """A Parquet file, a folder of them, or a CSV file."""

    def __init__(self, path: Path) -> None:
        """Reads the names of the columns.

        Raises:
            Problem: no such file, not one of ours, or damaged.
        """
        self._path = path
        with self._readable():
            self._file: _Parquet | _Csv = _Parquet(path) if _is_parquet(path) else _Csv(path)
            self.names = self._file.names()

    def read(self, wanted: Sequence[str]) -> pa.Table:
        """Reads the columns ``wanted``, in that order.

        Raises:
            Problem: a column is not there, or the file is damaged further on.
        """
        self._check(wanted)
        with self._readable():
            return self._file.read(wanted)

    def _check(self, wanted: Sequence[str]) -> None:
        twice = [name for name in wanted if self.names.count(name) > 1]
        if twice:
            raise Problem(f"{self._path} has the column {twice[0]} twice", "rename one")
        missing = [name for name in wanted if name not in self.names]
        if missing:
            more = ", ..." if len(self.names) > MOST_NAMED else ""
            has = ", ".join(self.names[:MOST_NAMED]) + more
            ours = missing[0] in ("unique_id", "ds", "y")
            fix = f"rename the one that is {missing[0]}" if ours else "name one of those"
            raise Problem(f"{self._path} has no column {missing[0]}; it has {has}", fix)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            said = error.strerror or _one_line(error)
            raise Problem(f"{self._path} cannot be read: {said.lower()}") from None
        except pa.ArrowException as error:
            raise Problem(f"{self._path} is damaged: {_one_line(error)}") from None


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._dataset = pq.ParquetDataset(path)

    def names(self) -> list[str]:
        return list(self._dataset.schema.names)

    def read(self, wanted: Sequence[str]) -> pa.Table:
        return self._dataset.read(columns=list(wanted))


class _Csv:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._parsing = pa_csv.ParseOptions(delimiter=_delimiter(path))
        self._encoding = "utf-8"

    def names(self) -> list[str]:
        try:
            return self._names()
        except (pa.ArrowInvalid, UnicodeDecodeError):
            self._encoding = "latin-1"
            return self._names()

    def _names(self) -> list[str]:
        with pa_csv.open_csv(self._path, self._reading, self._parsing, self._converting()) as file:
            return list(file.schema.names)

    def read(self, wanted: Sequence[str]) -> pa.Table:
        try:
            return self._read(wanted)
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            if "UTF" not in str(error).upper():
                raise
            self._encoding = "latin-1"
            return self._read(wanted)

    def _read(self, wanted: Sequence[str]) -> pa.Table:
        converting = self._converting(wanted)
        return pa_csv.read_csv(self._path, self._reading, self._parsing, converting)

    @property
    def _reading(self) -> Any:
        return pa_csv.ReadOptions(encoding=self._encoding)

    def _converting(self, wanted: Sequence[str] = ()) -> Any:
        """Where cells are parted by semicolons the comma is taken: it is that of decimals."""
        return pa_csv.ConvertOptions(
            column_types=dict.fromkeys(TEXT, pa.string()),
            decimal_point="," if self._parsing.delimiter == ";" else ".",
            include_columns=list(wanted),
        )


def _is_parquet(path: Path) -> bool:
    if path.is_dir():
        return True
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        raise Problem(f"{path} is empty")
    if head == ZIP:
        raise Problem(f"{path} is a ZIP archive or an Excel workbook", "save it as CSV, in UTF-8")
    if head != PARQUET and path.suffix.lower() in (".parquet", ".pq"):
        raise Problem(f"{path} is called {path.suffix}, but is not Parquet", "rename it")
    return head == PARQUET


def _delimiter(path: Path) -> str:
    if path.suffix == ".gz":
        return ","
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    try:
        return csv.Sniffer().sniff(line, DELIMITERS).delimiter
    except csv.Error:
        return ","


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
