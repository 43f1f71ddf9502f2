import json
from pathlib import Path

import pytest

from tests.api.cli.conftest import Desk

HEADER = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
US_DATES = ("--date-format", "%m/%d/%Y %H:%M")


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """1,200 lines, so that there are two messages; the last four are one product, twice."""
    rows = [
        f"{5000 + n // 4},{10000 + n % 40},2,9/{1 + n % 28}/2011 8:05,1.25,17850"
        for n in range(1200)
    ]
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + "\n".join([*rows, rows[-1]]) + "\n")
    return path


def change(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new, 1))


async def test_a_file_is_imported_once_however_often_it_is_sent(desk: Desk, sales: Path) -> None:
    words = ("import", "sales", sales, "--user", "a@b.example", *US_DATES, "--json")
    first = await desk.types(*words)
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["answer"] == {
        "lines": 1201,
        "new_lines": 1201,
        "known_lines": 0,
    }
    again = await desk.types(*words)
    assert json.loads(again.stdout)["answer"] == {
        "lines": 1201,
        "new_lines": 0,
        "known_lines": 1201,
    }


async def test_a_line_that_contradicts_an_earlier_one_is_shown_with_its_row(
    desk: Desk, sales: Path
) -> None:
    words = ("import", "sales", sales, "--user", "a@b.example", *US_DATES)
    assert (await desk.types(*words)).exit_code == 0
    change(sales, "5000,10002,2,", "5000,10002,3,")
    refused = await desk.types(*words)
    assert refused.exit_code == 1
    assert "row 4" in refused.output
    assert "column Quantity" in refused.output
    assert "1 error" in refused.output
    as_json = await desk.types(*words, "--json")
    errors = json.loads(as_json.stdout)
    assert errors["changed"] is False
    assert errors["errors"][0]["row"] == 4


async def test_a_dry_run_changes_nothing(desk: Desk, sales: Path) -> None:
    dry = await desk.types("import", "sales", sales, *US_DATES, "--dry-run")
    assert dry.exit_code == 0
    assert "Nothing was sent" in dry.output
    listed = await desk.types("forecast", "run", "--user", "a@b.example")
    assert listed.exit_code == 1
    assert "NO_SALES" in listed.output


async def test_counts_fill_the_catalogue_and_agree_the_second_time(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "stock.csv"
    path.write_text(
        "Shop;Article;On hand;Style;Color;Size\n"
        "Berlin Mitte;shirt-navy-m;3;shirt;navy;M\n"
        "Berlin Mitte;shirt-navy-l;0;shirt;navy;L\n"
        "Hamburg;shirt-navy-m;5;shirt;navy;M\n"
    )
    words = ("import", "stock", path, "--user", "a@b.example", "--delimiter", ";", "--json")
    first = json.loads((await desk.types(*words)).stdout)["answer"]
    assert first == {"lines": 3, "movements": 2, "new_skus": 2, "new_stores": 2}
    again = json.loads((await desk.types(*words)).stdout)["answer"]
    assert again == {"lines": 3, "movements": 0, "new_skus": 0, "new_stores": 0}
    shown = await desk.types("stock", "--user", "a@b.example")
    assert shown.exit_code == 0, shown.output
    # Of L, nothing was ever there.
    assert shown.stdout.split("\n")[2].split() == ["navy", "8", "·", "8"]


async def test_a_sku_that_nobody_described_is_refused_with_its_row(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("store,sku,qty\nberlin,COAT-M,3\n")
    refused = await desk.types("import", "stock", path, "--user", "a@b.example")
    assert refused.exit_code == 1
    assert "row 2" in refused.output
