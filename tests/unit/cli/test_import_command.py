"""`hemline import` without a network: a dry run reads, checks and reports, and that is all."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import importing
from tests.unit.cli.support import GOOD, sales_file

APP = typer.Typer(pretty_exceptions_enable=False)
importing.register(APP)
APP.callback()(lambda: None)


def hemline(*words: object) -> tuple[int, str, str]:
    """Returns exit code, standard output and standard error."""
    result = CliRunner().invoke(APP, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_a_dry_run_says_what_it_read_and_what_it_left(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD, GOOD.replace("20677", "POST"), GOOD.replace("20677", "1a"))
    words = ("--dry-run", "--product-pattern", "^[0-9]")
    code, out, err = hemline("import", "sales", path, *words)
    assert code == 0
    assert "sku = StockCode" in err
    assert "Not read: Description, CustomerID, Country." in err
    assert "3 rows read; 2 lines of 2 SKUs; 2011-09-01 to 2011-09-01" in out
    assert "1 rows (POST 1)" in out
    assert "upper case: 1 lines" in out
    assert "Nothing was sent" in out


def test_the_same_as_json_is_all_there_is_on_standard_output(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD)
    code, out, err = hemline("import", "sales", path, "--dry-run", "--json")
    assert code == 0
    assert err == ""
    found = json.loads(out)
    assert found["columns"]["date"] == "InvoiceDate"
    assert (found["rows"], found["lines"], found["dry_run"]) == (1, 1, True)
    assert "answer" not in found


def test_faults_go_to_standard_error_with_their_number(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD, *[GOOD.replace(",8,", ",[x],")] * 30)
    code, out, err = hemline("import", "sales", path, "--dry-run", "--max-errors", 2)
    assert code == 1
    assert out == ""
    assert "row 3, column Quantity: '[x]' is not a number" in err
    assert "row 5" not in err
    assert "30 errors, the first 2 above. Nothing was imported." in err


def test_faults_as_json(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD.replace(",8,", ",x,"))
    code, out, _ = hemline("import", "sales", path, "--dry-run", "--json")
    assert code == 1
    found = json.loads(out)
    assert (found["changed"], found["error_count"]) == (False, 1)
    assert found["errors"][0]["row"] == 2
    assert found["errors"][0]["column"] == "Quantity"


def test_a_count_needs_a_store(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("sku,qty\nA,1\n")
    code, _, err = hemline("import", "stock", path, "--dry-run")
    assert code == 1
    assert "--store NAME" in err
    assert hemline("import", "stock", path, "--dry-run", "--store", "web")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--dry-run", "--encoding", "utf-9"),
        ("--dry-run", "--delimiter", ";;"),
        ("--dry-run", "--column", "sku"),
        ("--dry-run", "--product-pattern", "["),
        ("--dry-run", "--store", "Berlin!"),
        ("--dry-run", "--encoding", "base64"),
        ("--dry-run", "--date-format", "%Q"),
        ("--dry-run", "--date-format", "%"),
    ],
)
def test_options_that_make_no_sense_are_a_usage_error(tmp_path: Path, words: tuple[str]) -> None:
    code, _, err = hemline("import", "sales", sales_file(tmp_path, GOOD), *words)
    assert code == 2
    assert "Invalid value" in err


def test_colours_are_left_out_where_nobody_looks(tmp_path: Path) -> None:
    path = sales_file(tmp_path, GOOD.replace(",8,", ",x,"))
    assert "\x1b" not in hemline("import", "sales", path, "--dry-run")[2]
