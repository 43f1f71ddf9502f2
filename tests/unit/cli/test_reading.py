"""Good files: what is read from them, and what is left in them."""

import csv
import re
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing.faults import InvalidValue
from cli.importing.kinds import STOCK
from cli.importing.lines import Options
from cli.importing.values import dates, identifier, price_micros, skus, units_sold
from tests.unit.cli.support import GOOD, TODAY, US_DATES, checked, sales_file

PRODUCTS = Options(product_pattern=re.compile(r"^[0-9]{5}"))


def test_a_line_is_read_with_its_row_and_nothing_personal(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD, GOOD.replace("20677", "15056bl").replace(",8,", ",-2,"))
    result = checked(path)
    first, second = result.sent
    assert (first.row, first.document, first.store, first.sku) == (2, "565080", "main", "20677")
    assert (first.sale_date, first.units, first.unit_price_micros) == ("2011-09-01", 8, 1_250_000)
    assert (second.row, second.sku, second.units) == (3, "15056BL", -2)
    assert not any(b"13509" in message for message in result.checked.messages)
    assert result.lines is not None
    assert (result.lines.tally.upper_cased, result.lines.tally.returns) == (1, 1)


def test_codes_that_are_no_products_are_counted_and_left_out(tmp_path: Path) -> None:
    codes = ("POST", "BANK CHARGES", "POST", "gift_0001")
    # What is wrong elsewhere in such a row does not matter.
    rows = [GOOD.replace("20677", code).replace(",8,", ",,") for code in codes]
    result = checked(sales_file(tmp_path, *rows, GOOD), PRODUCTS)
    assert not result.faults
    assert [line.row for line in result.sent] == [6]
    assert result.lines is not None
    assert result.lines.tally.not_products == {"POST": 2, "BANK CHARGES": 1, "GIFT_0001": 1}


def test_one_invoice_may_hold_a_product_twice(tmp_path: Path) -> None:
    assert len(checked(sales_file(tmp_path, GOOD, GOOD)).sent) == 2


def test_us_dates_with_times_become_days(tmp_path: Path) -> None:
    row = GOOD.replace("2011-09-01 08:25", "9/1/2011 8:25")
    assert checked(sales_file(tmp_path, row), US_DATES).sent[0].sale_date == "2011-09-01"


def test_blank_rows_and_line_breaks_in_cells_count_as_a_spreadsheet_does(tmp_path: Path) -> None:
    multiline = GOOD.replace("PINK BOWL", '"PINK\nBOWL"')
    result = checked(sales_file(tmp_path, multiline, "", ",,,,,,,", GOOD))
    assert [line.row for line in result.sent] == [2, 5]


def test_lines_without_a_document_get_one_for_each_store_and_day(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    rows = ("Berlin Mitte,A,2026-01-02,1", f"{'x' * 63},A,2026-01-02,1", "oslo,A,2026-01-02,1")
    path.write_text("\n".join(("shop,sku,date,qty", *rows)) + "\n")
    documents = [line.document for line in checked(path).sent]
    assert documents[0] == "2026-01-02-berlin-mitte"
    assert len(set(documents)) == 3
    assert all(len(document) <= 64 for document in documents)


def test_the_given_store_is_used_where_the_file_names_none(tmp_path: Path) -> None:
    result = checked(sales_file(tmp_path, GOOD), Options(store="web"))
    assert result.sent[0].store == "web"


def test_parquet_is_read_with_its_types_from_row_1(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    table = pa.table(
        {
            "sku": ["a-1", "A-2", "A-3"],
            "date": pa.array([date(2026, 1, 2)] * 3),
            "qty": pa.array([1.0, 2.5, None]),
            "price": pa.array([Decimal("1.25")] * 3),
        }
    )
    pq.write_table(table, path)
    fraction, missing = checked(path).faults
    assert (fraction.row, fraction.column, fraction.value) == (2, "qty", "2.5")
    assert (missing.row, missing.column) == (3, "qty")
    pq.write_table(table.slice(0, 1), path)
    (line,) = checked(path).sent
    assert (line.row, line.sku, line.units, line.unit_price_micros) == (1, "A-1", 1, 1_250_000)


def test_stock_is_read_with_what_describes_a_new_sku(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("Shop,Article,On hand,Style,Color,Size\nOslo,a-1,0,Linen Shirt,navy,M\n")
    (line,) = checked(path, kind=STOCK).sent
    assert (line.store, line.sku, line.on_hand_units) == ("oslo", "A-1", 0)
    assert (line.style, line.colour, line.size) == ("linen-shirt", "navy", "M")


def test_messages_hold_a_thousand_lines(tmp_path: Path) -> None:
    result = checked(sales_file(tmp_path, *[GOOD] * 2_500))
    messages = [result.kind.request.FromString(each) for each in result.checked.messages]
    assert [len(message.lines) for message in messages] == [1000, 1000, 500]
    assert [line.row for line in result.sent] == list(range(2, 2502))


@given(st.lists(st.tuples(st.integers(-9999, 9999).filter(bool), st.text(max_size=20)), min_size=1))
@settings(max_examples=50, deadline=None)
def test_whatever_the_unread_cells_hold_the_lines_come_through(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]]
) -> None:
    path = tmp_path_factory.mktemp("import") / "sales.csv"
    rows = [(units, words.replace("\0", "").replace("\r", "")) for units, words in rows]
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(("sku", "description", "date", "qty"))
        writer.writerows(("A-1", words, "2026-01-02", units) for units, words in rows)
    result = checked(path)
    assert not result.faults
    assert [line.units for line in result.sent] == [units for units, _ in rows]
    assert [line.row for line in result.sent] == list(range(2, len(rows) + 2))


@given(st.integers(-1_000_000, 1_000_000).filter(bool))
def test_units_are_read_back(units: int) -> None:
    for cell in (str(units), f" {units} ", f"{units}.0", units, float(units)):
        assert units_sold(cell) == units


@given(st.decimals(0, 1_000_000, places=6))
def test_prices_are_read_to_the_millionth(price: Decimal) -> None:
    assert price_micros(str(price)) == price.scaleb(6)


@given(st.dates(date(2000, 1, 1), TODAY + timedelta(days=1)))
def test_days_are_read_back(day: date) -> None:
    assert dates(None, TODAY)(day.isoformat()) == day.isoformat()
    assert dates(None, TODAY)(day) == day.isoformat()
    assert dates("%d.%m.%Y", TODAY)(f"{day:%d.%m.%Y}") == day.isoformat()


@given(st.text())
def test_any_text_is_a_value_or_refused(text: str) -> None:
    for parse in (units_sold, price_micros, identifier, dates(None, TODAY), dates("%Y", TODAY)):
        with suppress(InvalidValue):
            assert parse(text) is not None


@given(st.from_regex(r"[A-Z0-9-]{1,64}", fullmatch=True))
def test_every_sku_of_the_contract_is_accepted(sku: str) -> None:
    assert skus(pattern_given=False)(sku) == sku
