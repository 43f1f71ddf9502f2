"""Broken files: every fault has its row, its column, a reason and a way out; nothing is sent."""

import codecs
from pathlib import Path

import pytest

from cli.importing.kinds import STOCK
from cli.importing.rows import Dialect
from tests.unit.cli.support import GOOD, HEADER, US_DATES, checked, sales_file


def broken(**cells: str) -> str:
    """A row with some of its cells replaced."""
    names = HEADER.split(",")
    values = dict(zip(names, GOOD.split(","), strict=True)) | cells
    return ",".join(values.values())


@pytest.mark.parametrize(
    ("column", "value", "problem", "remedy"),
    [
        ("Quantity", "", "is empty", "fill it in"),
        ("Quantity", "eight", "is not a number", "put the units"),
        ("Quantity", "1.5", "is not whole", ""),
        ("Quantity", "0", "is zero units", "a return is negative"),
        ("Quantity", "1'000", "is not a number", "without separators"),
        ("Quantity", "nan", "is not a number of units", ""),
        ("Quantity", "1000001", "more than one million", ""),
        ("InvoiceDate", "", "is empty", ""),
        ("InvoiceDate", "9/13/2011 8:25", "YYYY-MM-DD", "--date-format '%m/%d/%Y %H:%M'"),
        ("InvoiceDate", "13.9.2011", "YYYY-MM-DD", "--date-format '%d.%m.%Y'"),
        ("InvoiceDate", "2011-02-30", "YYYY-MM-DD", "--date-format"),
        ("InvoiceDate", "1999-12-31", "before 2000-01-01", ""),
        ("InvoiceDate", "2026-11-23", "in the future", ""),
        ("UnitPrice", "", "is empty", "put 0"),
        ("UnitPrice", "£1.25", "is not a price", "without a currency"),
        ("UnitPrice", "-1.25", "is a negative price", "negative units"),
        ("UnitPrice", "inf", "is not a price", ""),
        ("UnitPrice", "2000000", "above one million", ""),
        ("StockCode", "", "is empty", ""),
        ("StockCode", "BANK CHARGES", "is no SKU", "--product-pattern"),
        ("StockCode", "gift_0001_30", "is no SKU", "--product-pattern"),
        ("InvoiceNo", "", "is empty", ""),
        ("InvoiceNo", "5" * 65, "longer than 64", ""),
    ],
)
def test_a_bad_cell_is_named(
    tmp_path: Path, column: str, value: str, problem: str, remedy: str
) -> None:
    path = sales_file(tmp_path, GOOD, broken(**{column: value}), GOOD)
    result = checked(path)
    assert result.fault.row == 3
    assert result.fault.column == column
    assert result.fault.value == (value if len(value) <= 40 else value[:39] + "…")
    assert problem in result.fault.problem
    assert remedy in result.fault.remedy


def test_all_faults_are_counted_and_the_first_are_kept(tmp_path: Path) -> None:
    rows = [broken(Quantity="x", InvoiceDate="y") for _ in range(30)]
    result = checked(sales_file(tmp_path, GOOD, *rows))
    assert result.total == 60
    assert [fault.row for fault in result.faults] == [row for row in range(3, 13) for _ in "ab"]
    assert result.checked.rows == 31


def test_a_date_that_does_not_fit_the_given_format_is_a_fault(tmp_path: Path) -> None:
    rows = (broken(InvoiceDate="9/1/2011 8:25"), broken(InvoiceDate="31/12/2011 8:25"))
    result = checked(sales_file(tmp_path, *rows), US_DATES)
    assert result.fault.row == 3
    assert "%m/%d/%Y %H:%M" in result.fault.problem
    assert "%d/%m/%Y %H:%M" in result.fault.remedy


def test_a_missing_column_names_the_headers_and_the_option(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD, header=HEADER.replace("Quantity", "Menge"))
    result = checked(path)
    assert result.fault.row == 1
    assert "units" in result.fault.problem
    assert "--column units=HEADER" in result.fault.remedy
    assert "Menge" in result.fault.remedy
    assert not checked(path, columns=(("units", "Menge"),)).faults


def test_a_header_that_stands_twice_is_a_fault(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD, header=HEADER.replace("Country", "Quantity"))
    assert "Quantity stands 2 times" in checked(path).faults[0].problem


@pytest.mark.parametrize("row", ["565080,20677,PINK", GOOD + ",more", "x"])
def test_a_row_with_too_few_or_too_many_cells_is_a_fault(tmp_path: Path, row: str) -> None:
    result = checked(sales_file(tmp_path, GOOD, row, GOOD))
    assert result.fault.row == 3
    assert "the header has 8" in result.fault.problem
    assert result.fault.value == ""


@pytest.mark.parametrize(
    "row",
    [
        GOOD.replace("PINK BOWL", '"PINK BOWL'),
        GOOD.replace("PINK BOWL", '"PINK" BOWL'),
    ],
)
def test_a_quote_that_is_not_closed_is_a_fault_where_it_opens(tmp_path: Path, row: str) -> None:
    result = checked(sales_file(tmp_path, GOOD, row, GOOD, GOOD))
    assert result.fault.row == 3
    assert "quote" in result.fault.problem


def test_an_open_quote_does_not_swallow_a_large_file(tmp_path: Path) -> None:
    rows = [GOOD] * 4000
    result = checked(sales_file(tmp_path, GOOD.replace("PINK", '"PINK'), *rows))
    assert result.fault.row == 2
    assert "131,072 characters" in result.fault.problem


def test_the_first_byte_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    row = GOOD.replace("PINK BOWL", "£5 BOWL")
    path = sales_file(tmp_path, GOOD, GOOD, row, encoding="latin-1")
    result = checked(path)
    assert result.fault.row == 4
    assert "0xa3" in result.fault.problem
    assert "--encoding latin-1" in result.fault.remedy
    assert not checked(path, dialect=Dialect("latin-1")).faults


def test_utf_16_is_named(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD, encoding="utf-16")
    assert "UTF-16 byte-order mark" in checked(path).fault.problem
    assert "--encoding utf-16" in checked(path).fault.remedy
    assert not checked(path, dialect=Dialect("utf-16")).faults


def test_utf_16_without_a_mark_shows_as_nul_bytes(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD, encoding="utf-16-le")
    assert "NUL byte" in checked(path).fault.problem
    assert not checked(path, dialect=Dialect("utf-16-le")).faults


def test_a_utf_8_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert not checked(sales_file(tmp_path, GOOD, encoding="utf-8-sig")).faults


def test_half_a_utf_16_character_at_the_end_is_a_fault(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD, encoding="utf-16")
    path.write_bytes(path.read_bytes()[:-1])
    assert "is not utf-16" in checked(path, dialect=Dialect("utf-16")).fault.problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"\n\n", "header is empty"),
        (HEADER.encode() + b"\n", "no row to import"),
        (b"PK\x03\x04....", "Excel"),
        (b"\x1f\x8b......", "gzip"),
        (b"PAR1....", "Parquet file is damaged"),
    ],
)
def test_what_is_no_file_of_lines_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    assert problem in checked(path).fault.problem


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert "no such file" in checked(tmp_path / "none.csv").fault.problem


def test_another_delimiter_is_suggested(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD.replace(",", ";"), header=HEADER.replace(",", ";"))
    assert all("--delimiter ';'" in fault.remedy for fault in checked(path).faults)
    assert not checked(path, dialect=Dialect(delimiter=";")).faults


def test_a_level_counted_twice_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("store,sku,qty\nberlin,A-1,3\noslo,A-1,0\nBerlin,a-1,4\nberlin,A-2,-1\n")
    twice, negative = checked(path, kind=STOCK).faults
    assert (twice.row, twice.column) == (4, "sku")
    assert "row 2" in twice.problem
    assert (negative.row, negative.column) == (5, "qty")


def test_nothing_is_shown_of_columns_that_are_not_imported(tmp_path: Path) -> None:
    rows = (broken(Quantity="x"), GOOD + ",x", broken(InvoiceDate="?"))
    result = checked(sales_file(tmp_path, *rows))
    assert not any("13509" in str(fault) for fault in result.faults)


def test_codecs_know_the_names_in_the_hints() -> None:
    for name in ("latin-1", "utf-8", "utf-16", "utf-16-le"):
        codecs.lookup(name)
