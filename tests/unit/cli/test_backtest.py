"""`hemline backtest` on panels such as people have: what it writes, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli import strange_panels
from tests.unit.cli.strange_panels import CASES, Case, case, days, long, months, names, units

COLUMNS = ["unique_id", "cutoff", "ds", "mean", "p10", "p50", "p90"]
Row = dict[str, Any]


def invoke(panel: Path, out: Path, cutoffs: str, horizon: int, *options: str) -> Result:
    return CliRunner().invoke(
        app("backtest"),
        ["backtest", str(panel), "--horizon", str(horizon), "--cutoffs", cutoffs, "--out", str(out),
         "--effort", "light", *options],
    )  # fmt: skip


def forecast(folder: Path, given: Case, *options: str) -> tuple[dict[str, Any], pa.Table]:
    """Returns the figures and the forecasts."""
    pq.write_table(given.table, folder / "panel.parquet")
    done = invoke(
        folder / "panel.parquet", folder / "out.parquet", ",".join(given.cutoffs), given.horizon,
        *given.options, *options, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), pq.read_table(folder / "out.parquet")


@pytest.mark.parametrize("name", CASES)
def test_every_panel_is_forecast(name: str, tmp_path: Path) -> None:
    given = case(name)
    figures, made = forecast(tmp_path, given)
    assert figures["period"] == given.period
    assert made.column_names == COLUMNS
    if name not in ("typed", "epochs"):  # Of which other libraries keep codes and views.
        assert made["unique_id"].type == given.table["unique_id"].type
    assert made["ds"].type == made["cutoff"].type == given.table["ds"].type
    values = np.column_stack([made[column].to_numpy() for column in COLUMNS[3:]])
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert (np.diff(values[:, 1:], axis=1) >= 0).all()
    keys = list(zip(*(made[column].to_pylist() for column in COLUMNS[:3]), strict=True))
    assert len(set(keys)) == len(keys)
    if name != "dates_as_text":  # Which has no order of text.
        check_rows(name, given, keys)


def check_rows(name: str, given: Case, keys: list[tuple[Any, ...]]) -> None:
    """One by one: the next rows of each series, or every period if it has none in the horizon."""
    stamps: dict[Any, list[Any]] = {}
    columns = (given.table[column].to_pylist() for column in ("unique_id", "ds"))
    for series, stamp in zip(*columns, strict=True):
        stamps.setdefault(series, []).append(stamp)
    found: dict[tuple[Any, Any], list[Any]] = {}
    for series, cutoff, stamp in keys:
        found.setdefault((cutoff, series), []).append(stamp)
    cutoffs = {cutoff for cutoff, _ in found}
    assert len(cutoffs) == len(given.cutoffs)
    for cutoff in cutoffs:
        begun = {series for series, each in stamps.items() if min(each) <= cutoff}
        assert {series for at, series in found if at == cutoff} == begun
        for series in begun:
            later = sorted(stamp for stamp in stamps[series] if stamp > cutoff)
            due = found[cutoff, series]
            if later and due[0] == later[0]:
                # With rows missing, fewer lie within the horizon than it is long.
                assert due == later[: len(due)]
                assert len(due) == min(given.horizon, len(later)) or name in WITH_GAPS
            else:
                assert not later or name in WITH_GAPS
                assert len(due) == given.horizon


WITH_GAPS = ("gaps_mean_zero", "gaps_are_unknown", "closed_on_sundays", "weeks_stamped_late")


def test_dates_continue_as_the_panel_s_go_on(tmp_path: Path) -> None:
    _, made = forecast(tmp_path, case("ends_at_the_cutoff"))
    dates = made["ds"].to_numpy()[:6].astype("datetime64[D]").astype(str).tolist()
    assert dates == ["2023-05-31", "2023-06-30", "2023-07-31", "2023-08-31", "2023-09-30",
                     "2023-10-31"]  # fmt: skip


@pytest.mark.parametrize(
    ("stamps", "following"),
    [
        (["2024-01-29", "2024-01-30", "2024-01-31"], ["2024-02-01", "2024-02-02"]),
        (["29.01.2024", "30.01.2024", "31.01.2024"], ["01.02.2024", "02.02.2024"]),
        (["2023-11", "2023-12", "2024-01"], ["2024-02", "2024-03"]),
        (["20240117", "20240124", "20240131"], ["20240207", "20240214"]),
        (["2024-01-29T09:30:00Z", "2024-01-30T10:00:00Z", "2024-01-31T08:15:00Z"],
         ["2024-02-01T08:15:00Z", "2024-02-02T08:15:00Z"]),
    ],
)  # fmt: skip
def test_new_dates_are_written_as_the_old_ones(
    stamps: list[str], following: list[str], tmp_path: Path
) -> None:
    table = pa.table({"unique_id": [7, 7, 7], "ds": stamps, "y": [1, 2, 3]})
    _, made = forecast(tmp_path, Case(table, (stamps[-1][:10],), 2))
    assert made["ds"].to_pylist() == following
    assert made["cutoff"].to_pylist() == [stamps[-1]] * 2


def test_a_csv_file_is_read_as_parquet_is(tmp_path: Path) -> None:
    given = case("gaps_are_unknown")
    _, of_parquet = forecast(tmp_path, given)
    pa_csv.write_csv(given.table, tmp_path / "panel.csv")
    done = invoke(tmp_path / "panel.csv", tmp_path / "csv.parquet", given.cutoffs[0], 14)
    assert done.exit_code == 0, done.output
    of_csv = pq.read_table(tmp_path / "csv.parquet")
    assert of_csv["mean"].equals(of_parquet["mean"])
    assert of_csv["unique_id"].equals(of_parquet["unique_id"])


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_tables_of_text_are_read_too(delimiter: str, tmp_path: Path) -> None:
    """Semicolons and a decimal comma, ids that look like numbers, an encoding of old."""
    lines = [f"00{key}|{day:%d.%m.%Y}|{day.day},5|Größe" for key in (1, 2) for day in DAYS]
    text = "\n".join(["unique_id|ds|y|name", *lines]).replace("|", delimiter)
    text = text if delimiter == ";" else text.replace(",", ".")
    (tmp_path / "panel.csv").write_bytes(text.encode("latin-1"))
    done = invoke(tmp_path / "panel.csv", tmp_path / "out.parquet", "2024-01-20", 3,
                  "--static", "name")  # fmt: skip
    assert done.exit_code == 0, done.output
    made = pq.read_table(tmp_path / "out.parquet")
    assert set(made["unique_id"].to_pylist()) == {"001", "002"}
    assert made["ds"].to_pylist()[:3] == ["21.01.2024", "22.01.2024", "23.01.2024"]


DAYS = days("2024-01-01", 30).astype("datetime64[D]").tolist()


def broken(change: Callable[[pa.Table], pa.Table]) -> pa.Table:
    return change(long(names(3), days("2024-01-01", 40), units(np.random.default_rng(1), 3, 40)))


def replaced(name: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(table.schema.get_field_index(name), name, values)


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (lambda t: t.rename_columns(["item", "ds", "y"]), (), "no column unique_id; it has item"),
        (lambda t: t, ("--known", "price"), "no column price; it has unique_id, ds, y; name one"),
        (lambda t: t, ("--known", "y"), "y is what is forecast"),
        (lambda t: pa.concat_tables([t, t]), (), "120 rows are there twice: the first is s00000"),
        (replaced("y", pa.array(["12 pieces"] * 120)), (), "column y holds '12 pieces'"),
        (replaced("y", pa.array([np.inf] * 120)), (), "y is infinite or beyond 1e+30 in 120 rows"),
        (replaced("ds", pa.array(["yesterday"] * 120)), (), "column ds holds 'yesterday'"),
        (replaced("ds", pa.nulls(120, pa.date32())), (), "column ds is empty in 120 rows"),
        (replaced("unique_id", pa.nulls(120, pa.string())), (), "column unique_id is empty in 120"),
        (lambda t: t.append_column("y", t["y"]), (), "has the column y twice"),
        (lambda t: t.slice(0, 0), (), "the panel has no rows"),
        (lambda t: t, ("--cutoffs", "soon"), "--cutoffs soon: no date"),
        (lambda t: t, ("--cutoffs", "2023-12-31"), "lies before the first ds, 2024-01-01"),
        (lambda t: t, ("--period", "W"), "rows share a week with another of their series"),
        (lambda t: t.append_column("tags", pa.array([["a"]] * 120)), ("--static", "tags"),
         "column tags holds list"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_column(
    change: Callable[[pa.Table], pa.Table], options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    pq.write_table(broken(change), tmp_path / "panel.parquet")
    done = invoke(tmp_path / "panel.parquet", tmp_path / "out.parquet", "2024-01-30", 7, *options)
    assert done.exit_code == 1
    assert said in done.stderr
    assert done.stderr.startswith("hemline: ")
    assert not (tmp_path / "out.parquet").exists()


def test_quarters_are_not_mistaken_for_months(tmp_path: Path) -> None:
    table = long(names(2), months("2010-01", 90)[::3], np.ones((2, 30)))
    pq.write_table(table, tmp_path / "panel.parquet")
    done = invoke(tmp_path / "panel.parquet", tmp_path / "out.parquet", "2015-01-01", 4)
    assert done.exit_code == 1
    assert "rows are 91 days apart" in done.stderr or "rows are 92 days apart" in done.stderr


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04....", b"PAR1 and no more"])
def test_files_of_other_kinds_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "panel.parquet").write_bytes(content)
    done = invoke(tmp_path / "panel.parquet", tmp_path / "out.parquet", "2024-01-01", 7)
    assert done.exit_code == 1
    assert "panel.parquet" in done.stderr


def test_the_panel_is_not_overwritten(tmp_path: Path) -> None:
    panel = tmp_path / "panel.parquet"
    pq.write_table(broken(lambda table: table), panel)
    done = invoke(panel, panel, "2024-01-30", 7)
    assert done.exit_code == 1
    assert "is the panel itself" in done.stderr


def test_people_are_told_the_figures_and_what_is_odd(tmp_path: Path) -> None:
    given = case("negative")
    pq.write_table(given.table, tmp_path / "panel.parquet")
    done = invoke(tmp_path / "panel.parquet", tmp_path / "out.parquet", given.cutoffs[0], 7)
    assert "RMSSE" in done.stdout
    assert "35 forecasts are in" in done.stdout
    assert done.stderr.count("have a negative y: each counts as 0") == 1


def test_missing_rows_are_zeros_only_where_no_zero_is_recorded(tmp_path: Path) -> None:
    zero, _ = forecast(tmp_path, case("gaps_mean_zero"))
    unknown, _ = forecast(tmp_path, case("gaps_are_unknown"))
    assert "each counts as 0" in zero["notes"][0]
    assert "counts as unknown" in unknown["notes"][0]


def test_figures_are_those_of_the_forecasts_that_are_written(tmp_path: Path) -> None:
    given = case("bare_daily")
    figures, made = forecast(tmp_path, given)
    joined = made.join(given.table, ["unique_id", "ds"], join_type="inner")
    assert joined.num_rows == made.num_rows
    for cutoff, found in figures["cutoffs"].items():
        moment = np.datetime64(cutoff, "ns")
        part = joined.filter(pc.equal(joined["cutoff"], pa.scalar(moment)))
        y, low, high = (part[name].to_numpy() for name in ("y", "p10", "p90"))
        error = np.abs(y - part["mean"].to_numpy()).sum() / y.sum()
        assert found["wmape"] == pytest.approx(error, abs=1e-6)
        assert found["coverage"] == pytest.approx(((y >= low) & (y <= high)).mean(), abs=1e-6)


def test_every_case_has_a_name() -> None:
    made = {name for name in vars(strange_panels) if name.startswith("_") and name[1] != "_"}
    assert made == {f"_{name}" for name in CASES}
