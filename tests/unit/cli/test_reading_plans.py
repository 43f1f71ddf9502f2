"""Files of promotions, calendars, attributes and stock days, as they are checked."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.importing import fields_plans
from cli.importing.fields import spelling
from cli.importing.kinds import ATTRIBUTES, CALENDAR, PROMOTIONS, STOCK_DAYS, Kind
from cli.importing.lines import Options
from season import SeasonConfig, files, simulate
from season.presets import ATELIER_NORD
from tests.unit.cli.support import TODAY, Result, checked
from tests.unit.cli.test_import_command import hemline


def read(folder: Path, kind: Kind, *rows: str, **options: Any) -> Result:
    path = folder / "file.csv"
    path.write_text("".join(f"{row}\n" for row in rows))
    return checked(path, Options(**options), kind=kind)


def test_every_spelling_belongs_to_one_field() -> None:
    for fields in (
        fields_plans.PROMOTIONS, fields_plans.CALENDAR, fields_plans.OF_SKUS,
        fields_plans.OF_STORES, fields_plans.STOCK_DAYS,
    ):  # fmt: skip
        names = [name for field in fields for name in (field.name, *field.spellings)]
        assert len(names) == len(set(names))
        assert names == [spelling(name) for name in names]


def test_a_promotion_is_of_the_finest_thing_that_its_row_names(tmp_path: Path) -> None:
    found = read(
        tmp_path, PROMOTIONS,
        "Promo ID,Shop,SKU,Style,Category,From,To,Type,Discount,Promo Price",
        "SP1,Berlin Mitte,shirt-m,shirt,tops,2026-12-01,2026-12-24,Mark-down,30%,",
        "SP1,,,shirt,tops,2026-12-01,2026-12-24,Mark-down,0.3,",
        "SP2,all,,,tops,2026-12-01,2026-12-01,display,,",
        "SP3,*,,*,,2026-12-01,2026-12-01,,10%,9.99",
    )  # fmt: skip
    assert found.faults == []
    sku, style, category, everything = found.sent
    assert (sku.scope, sku.target, sku.store) == ("sku", "SHIRT-M", "berlin-mitte")
    assert (sku.promotion, sku.kind, sku.discount_share) == ("SP1", "mark-down", 0.3)
    assert (style.scope, style.target, style.store) == ("style", "shirt", "-")
    assert (category.scope, category.kind, category.discount_share) == ("category", "display", 0)
    assert (everything.scope, everything.target, everything.kind) == ("all", "", "promotion")
    assert (everything.price_micros, everything.discount_share) == (9_990_000, 0)
    assert not sku.HasField("price_micros")


def test_a_file_that_names_nothing_promotes_everything(tmp_path: Path) -> None:
    found = read(tmp_path, PROMOTIONS, "start,end,off", "2026-12-01,2026-12-24,0.2")
    (line,) = found.sent
    assert (line.scope, line.target, line.store) == ("all", "", "-")
    assert line.promotion == "2026-12-01--2026-12-24"


FAR = TODAY + timedelta(days=6 * 366)


@pytest.mark.parametrize(
    ("kind", "row", "problem", "column"),
    [
        (PROMOTIONS, ",2026-12-01,2026-12-02,0.3", "says nothing of what is promoted", "style"),
        (PROMOTIONS, "shirt,2026-12-03,2026-12-02,0.3", "lies before the first day", "end"),
        (PROMOTIONS, f"shirt,2026-12-03,{FAR},0.3", "too far in the future", "end"),
        (PROMOTIONS, "shirt,12/03/2026,2026-12-04,0.3", "is not a date", "start"),
        (PROMOTIONS, "shirt,2026-12-03,2026-12-04,30", "above 100 %", "discount"),
        (PROMOTIONS, "shirt,2026-12-03,2026-12-04,-5%", "is not a discount", "discount"),
        (PROMOTIONS, "shirt,2026-12-03,2026-12-04,lots", "is not a discount", "discount"),
        (CALENDAR, ",2026-12-03,,no", "is empty", "event"),
        (CALENDAR, "fair,2026-12-03,2026-12-01,no", "lies before the first day", "end"),
        (CALENDAR, "fair,2026-12-03,,maybe", "neither yes nor no", "closed"),
        (CALENDAR, "!!!,2026-12-03,,no", "is no name", "event"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_with_its_row(
    tmp_path: Path, kind: Kind, row: str, problem: str, column: str
) -> None:
    header = "style,start,end,discount" if kind is PROMOTIONS else "event,date,end,closed"
    good = "shirt,2026-12-01,2026-12-02,0.1" if kind is PROMOTIONS else "fair,2026-12-01,,no"
    found = read(tmp_path, kind, header, good, row)
    assert (found.fault.row, found.fault.column) == (3, column)
    assert problem in found.fault.problem
    assert found.sent == []


def test_events_have_names_that_stay_the_same_every_year(tmp_path: Path) -> None:
    found = read(
        tmp_path, CALENDAR, "Holiday,Shop,Date,Closed",
        "Black Friday,,2026-11-27,no", "Fête d'été,lyon,2027-06-21,", ",berlin,2026-12-25,yes",
    )  # fmt: skip
    assert [(line.event, line.store, line.closed) for line in found.sent] == [
        ("black-friday", "-", False),
        ("fete-d-ete", "lyon", False),
        ("closed", "berlin", True),
    ]
    assert [line.end_date for line in found.sent] == ["2026-11-27", "2027-06-21", "2026-12-25"]


def test_attributes_are_sent_once_however_many_rows_say_them(tmp_path: Path) -> None:
    found = read(
        tmp_path, ATTRIBUTES, "store,sku,Style,Color,Size,on hand",
        "berlin,shirt-m,shirt,navy,M,3", "rome,shirt-m,shirt,navy,M,9", "rome,coat-l,coat,,L,1",
    )  # fmt: skip
    shirt, coat = found.sent
    assert (shirt.sku, dict(shirt.attributes)) == (
        "SHIRT-M", {"style": "shirt", "colour": "navy", "size": "M"},
    )  # fmt: skip
    assert dict(coat.attributes) == {"style": "coat", "size": "L"}


def test_a_file_without_attributes_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, ATTRIBUTES, "sku,price", "A,3")
    assert "no column is an attribute" in found.fault.problem
    assert "--column" in found.fault.remedy


def test_other_attributes_and_stores_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sku,Price tier\nA,high\n")
    words = ("import", "attributes", path, "--dry-run", "--json")
    code, out, _ = hemline(*words, "--column", "price-tier=Price tier")
    assert (code, '"price-tier": "Price tier"' in out) == (0, True)
    for bad in ("product", "Price Tier"):
        code, _, err = hemline(*words, "--column", f"{bad}=Price tier")
        assert (code, "no name of an attribute" in err) == (2, True)
    path.write_text("shop,Region\nBerlin Mitte,north\n-,south\n")
    code, _, err = hemline("import", "attributes", path, "--of", "store", "--dry-run")
    assert code == 1
    assert "row 3, column shop: '-' stands for all stores" in err


def test_stock_days_need_a_place_and_a_count(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("sku,date,closing stock\nA,2026-11-01,3\nA,2026-11-02,-1\n")
    words = ("import", "stock-days", path, "--dry-run")
    code, _, err = hemline(*words)
    assert (code, "no column for store (where it was on hand)" in err) == (1, True)
    code, _, err = hemline(*words, "--store", "berlin")
    assert (code, "row 3, column closing stock: '-1' is negative" in err) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("stock-days",), "give either a FILE or --from-inventory"),
        (("stock-days", "--from-inventory"), "say who imports"),
        (
            ("stock-days", "--from-inventory", "--user", "a", "--from", "2026-02-01", "--to",
             "2026-01-01"),
            "lies after the last day",
        ),
        (("promotions", "x.csv", "--dry-run", "--known-at", "2999-01-01"), "lies in the future"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused(words: tuple[str, ...], said: str) -> None:
    code, _, err = hemline("import", *words)
    assert (code, said in err) == (2, True)


def test_a_plan_that_began_before_it_is_known_is_remarked(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("style,start,end,off\nshirt,2026-01-01,2026-01-09,0.3\n")
    _, out, err = hemline("import", "promotions", path, "--dry-run")
    assert "--known-at" in out
    assert "store is all for all rows" in err
    _, out, _ = hemline("import", "promotions", path, "--dry-run", "--known-at", "2025-12-01")
    assert "--known-at" not in out


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_simulated_season_can_be_imported_as_it_is_written(
    tmp_path: Path, file_format: files.Format
) -> None:
    config = SeasonConfig(
        ATELIER_NORD, TODAY - timedelta(days=1), weeks=10, stores=2, styles=4, colours=1, sizes=3
    )
    season = simulate(config)
    files.write(season, tmp_path, file_format)
    for name, kind, lines in (
        ("promotions", PROMOTIONS, len(season.promotions)),
        ("stock", ATTRIBUTES, len(set(season.series.sku_index.tolist()))),
        ("stock_days", STOCK_DAYS, len(list(season.stock_days))),
    ):
        found = checked(tmp_path / f"{name}.{file_format}", kind=kind)
        assert found.faults == []
        assert found.checked.lines == lines > 0
