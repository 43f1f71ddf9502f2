"""`hemline import calendar` without a file: a country's holidays, a retailer's months."""

import csv
import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import main
from cli.importing.calendars import Wanted, slug, write
from tests.unit.cli.test_import_command import hemline

YEAR = (date(2024, 1, 1), date(2024, 12, 31))


def rows(folder: Path, wanted: Wanted) -> dict[tuple[str, str], dict[str, str]]:
    """By event and first day."""
    with write(wanted, folder).open(encoding="utf-8") as file:
        return {(row["event"], row["start"]): row for row in csv.DictReader(file)}


def test_holidays_are_those_of_the_country_s_part(tmp_path: Path) -> None:
    found = rows(tmp_path, Wanted("DE-BE", None, *YEAR, closed=True))
    womens_day = found["womens-day", "2024-03-08"]
    assert (womens_day["end"], womens_day["closed"]) == ("2024-03-08", "yes")
    assert ("easter-monday", "2024-04-01") in found
    whole = rows(tmp_path, Wanted("DE", None, *YEAR, closed=False))
    assert set(found) - set(whole) == {("womens-day", "2024-03-08")}
    assert {row["closed"] for row in whole.values()} == {"no"}


def test_days_outside_of_the_span_are_left_out(tmp_path: Path) -> None:
    span = (date(2024, 12, 25), date(2025, 1, 1))
    found = rows(tmp_path, Wanted("FR", None, *span, closed=False))
    assert [start for _, start in found] == ["2024-12-25", "2025-01-01"]


def test_each_month_begins_with_a_week_from_monday_to_sunday(tmp_path: Path) -> None:
    """2024 has 53 weeks: it ends on 2 February 2025, the Sunday nearest to 31 January."""
    found = rows(tmp_path, Wanted("", "4-4-5", date(2024, 1, 29), date(2025, 2, 28), closed=False))
    months = [date.fromisoformat(start) for event, start in found if event == "retail-month"]
    assert {day.weekday() for day in months} == {0}
    weeks = [(after - day).days // 7 for day, after in pairwise(months)]
    assert weeks == [4, 4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 6]
    assert found["week-53", "2025-01-27"]["end"] == "2025-02-02"


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("Christmas Day (observed)", "christmas-day"),
        ("Fête du Travail", "fete-du-travail"),
        ("元日", "public-holiday"),
        ("Day " * 30, ("day-" * 16)[:63]),
    ],
)
def test_events_are_called_as_the_service_has_it(name: str, event: str) -> None:
    assert slug(name) == event


def test_what_would_be_sent_is_checked_as_a_file_is() -> None:
    words = ("import", "calendar", "--country", "GB", "--from", "2024-01-01", "--to", "2024-12-31")
    code, out, _ = hemline(*words, "--store", "london", "--dry-run", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["lines"], found["stores"]) == (6, ["london"])
    assert "note" not in found  # Known from its first day on.


def test_a_file_and_a_country_exclude_each_other(tmp_path: Path) -> None:
    for words in ((), (tmp_path / "a.csv", "--country", "DE")):
        code, _, err = hemline("import", "calendar", *words, "--dry-run")
        assert code == 2
        assert "give a file" in err
    code, _, err = hemline("import", "calendar", "--country", "ZZ", "--dry-run")
    assert code == 1
    assert "no public holidays are known for the country 'ZZ'; give its ISO 3166 code" in err


@pytest.mark.parametrize("words", [("--closed",), ("--from", "2024-01-01"), ("--to", "2024-01-01")])
def test_options_that_make_a_calendar_do_not_go_with_a_file(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("event,start,end\nfair,2024-01-01,2024-01-02\n")
    assert hemline("import", "calendar", path, "--dry-run")[0] == 0
    code, _, err = hemline("import", "calendar", path, *words, "--dry-run")
    assert code == 2
    assert f"Invalid value for {words[0]}" in err
    assert "goes without a file only" in err


@pytest.mark.parametrize(
    "words",
    [
        ("--delimiter", ";"),
        ("--date-format", "%d.%m.%Y"),
        ("--encoding", "utf-8"),
        ("--column", "start=day"),
    ],
)
def test_options_of_a_file_do_not_go_without_one(words: tuple[str, ...]) -> None:
    code, _, err = hemline("import", "calendar", "--country", "DE", *words, "--dry-run")
    assert code == 2
    assert f"Invalid value for {words[0]}" in err
    assert "says how a file is written" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--retail-calendar", "4-4-5", "--closed"), "needs --country"),
        (("--country", "DE", "--from", "1700-01-01"), "lies before 2000-01-01"),
        (("--country", "DE", "--to", "2300-01-01"), "lies too far in the future"),
    ],
)
def test_what_a_made_calendar_cannot_have_is_refused_by_option(
    words: tuple[str, ...], told: str
) -> None:
    code, _, err = hemline("import", "calendar", *words, "--dry-run")
    assert code == 2
    (option,) = {"--closed", "--from", "--to"}.intersection(words)
    assert f"Invalid value for {option}: {told}" in err


@pytest.mark.parametrize(
    ("command", "weekday"), [("import calendar", "Sunday"), ("backtest", "Saturday")]
)
def test_the_help_names_the_weekday_on_which_a_retailer_s_year_ends(
    command: str, weekday: str
) -> None:
    found = CliRunner().invoke(main.app(), [*command.split(), "--help"], env={"COLUMNS": "200"})
    said = " ".join(found.stdout.replace("│", " ").split())
    assert f"the {weekday} nearest to 31 January" in said
