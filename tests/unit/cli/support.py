"""Files to import, and what a check makes of them."""

from datetime import date
from pathlib import Path
from typing import Any

from cli.importing.check import Checked, Reading
from cli.importing.columns import resolve
from cli.importing.faults import Fault, Faults, FileRejected
from cli.importing.kinds import SALES, Kind
from cli.importing.lines import Lines, Options
from cli.importing.rows import Dialect
from cli.importing.source import open_source

TODAY = date(2026, 11, 21)
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
GOOD = "565080,20677,PINK BOWL,8,2011-09-01 08:25,1.25,13509,United Kingdom"
US_DATES = Options(date_format="%m/%d/%Y %H:%M")


class Result:
    def __init__(self, faults: Faults, checked: Checked, lines: Lines | None, kind: Kind) -> None:
        self.faults = faults.kept
        self.total = faults.total
        self.checked = checked
        self.lines = lines
        self.kind = kind

    @property
    def fault(self) -> Fault:
        (only,) = self.faults
        return only

    @property
    def sent(self) -> list[Any]:
        """The lines that would be sent."""
        messages = [self.kind.request.FromString(each) for each in self.checked.messages]
        return [line for message in messages for line in message.lines]


def checked(
    path: Path,
    options: Options = Options(),  # noqa: B008 - frozen
    *,
    dialect: Dialect = Dialect(),  # noqa: B008 - frozen
    columns: tuple[tuple[str, str], ...] = (),
    kind: Kind = SALES,
) -> Result:
    """Checks a file as the command does before it sends anything."""
    faults = Faults(most_kept=20)
    try:
        source = open_source(path, dialect)
    except FileRejected as rejected:
        faults.add(*rejected.faults)
        return Result(faults, Checked(), None, kind)
    try:
        found = resolve(kind.fields, source.header, columns)
        lines = kind.lines(found, options, TODAY)
        reading = Reading(source, lines, kind.request, kind.most_lines)
        return Result(faults, reading.run(faults, lambda _: None), lines, kind)
    except FileRejected as rejected:
        faults.add(*rejected.faults)
        return Result(faults, Checked(), None, kind)
    finally:
        source.close()


def sales_file(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = folder / "sales.csv"
    path.write_bytes("".join(f"{row}\n" for row in (header, *rows)).encode(encoding))
    return path
