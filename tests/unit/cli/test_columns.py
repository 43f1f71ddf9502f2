import pytest

from cli.importing.columns import resolve
from cli.importing.faults import FileRejected
from cli.importing.fields import SALES, STOCK, spelling
from tests.unit.cli.support import HEADER

REAL = HEADER.split(",")


def test_the_headers_of_a_real_file_are_recognised() -> None:
    found = resolve(SALES, REAL, ())
    assert found.used == {
        "document": "InvoiceNo",
        "sku": "StockCode",
        "date": "InvoiceDate",
        "units": "Quantity",
        "price": "UnitPrice",
    }
    assert found.unread == ["Description", "CustomerID", "Country"]


@pytest.mark.parametrize(
    "header", ["SKU,Date,Qty", "item code,sale_date,Units", "ARTICLE-NO.,Invoice Date,pieces"]
)
def test_case_and_punctuation_of_headers_do_not_matter(header: str) -> None:
    assert set(resolve(SALES, header.split(","), ()).used) == {"sku", "date", "units"}


def test_every_spelling_belongs_to_one_field() -> None:
    for fields in (SALES, STOCK):
        names = [name for field in fields for name in (field.name, *field.spellings)]
        assert len(names) == len(set(names))
        assert names == [spelling(name) for name in names]


def test_a_given_column_wins_over_a_recognised_one() -> None:
    header = ["sku", "date", "qty", "net qty"]
    found = resolve(SALES, header, (("quantity", "Net Qty"),))
    assert found.used["units"] == "net qty"
    assert found.name("units") == "net qty"


def test_two_columns_that_would_both_do_are_a_fault() -> None:
    with pytest.raises(FileRejected) as caught:
        resolve(SALES, ["sku", "barcode", "date", "qty"], ())
    (fault,) = caught.value.faults
    assert "sku and barcode" in fault.problem
    assert "--column sku=sku" in fault.remedy


@pytest.mark.parametrize(
    ("given", "problem"),
    [(("colour", "x"), "no such field"), (("sku", "Code"), "no header Code")],
)
def test_a_column_option_that_fits_nothing_is_a_fault(given: tuple[str, str], problem: str) -> None:
    with pytest.raises(FileRejected) as caught:
        resolve(SALES, ["sku", "date", "qty"], (given,))
    assert any(problem in fault.problem for fault in caught.value.faults)
