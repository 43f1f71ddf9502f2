"""`hemline backtest` with a country's holidays, and with months of whole weeks."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cli.panels.calendars import PATTERNS, check
from cli.problems import Problem
from services.forecast.engine.retail_calendar import RetailCalendar
from tests.unit.cli.strange_panels import days, long, names, weeks
from tests.unit.cli.test_backtest import invoke

SERIES = 12


def wanted(folder: Path, factor: np.ndarray, dates: np.ndarray, horizon: int, *options: str) -> (
    np.ndarray
):  # fmt: skip
    """Expected units of the last ``horizon`` dates, summed over series that sell ``factor``."""
    y = np.random.default_rng(5).poisson(10 * np.tile(factor, (SERIES, 1))).astype(np.float64)
    pq.write_table(long(names(SERIES), dates, y), folder / "panel.parquet")
    cutoff = str(dates[-horizon - 1])[:10]
    done = invoke(folder / "panel.parquet", folder / "out.parquet", cutoff, horizon, *options)
    assert done.exit_code == 0, done.output
    made = pq.read_table(folder / "out.parquet")["mean"].to_numpy().reshape(SERIES, horizon)
    found: np.ndarray = made.mean(axis=0)
    return found


def test_a_holiday_of_the_country_is_known_to_come(tmp_path: Path) -> None:
    dates = days("2022-01-01", 1010)  # To 6 October 2024.
    unity_day = np.isin(
        dates.astype("M8[D]").astype(str), ["2022-10-03", "2023-10-03", "2024-10-03"]
    )
    factor = np.where(unity_day, 4.0, 1.0)
    without = wanted(tmp_path, factor, dates, 7)
    told = wanted(tmp_path, factor, dates, 7, "--country", "DE")
    assert unity_day[-4]
    assert without[3] < 13
    assert told[3] > 17  # Two such days were seen: the answer to them is shrunk.
    assert told[[0, 1, 5, 6]].max() < 13


def test_the_first_week_of_a_retail_month_is_known(tmp_path: Path) -> None:
    dates = weeks("2021-01-04", 170)
    month = RetailCalendar(pattern=(4, 5, 4)).read(dates).month
    begins = np.diff(month, prepend=0) != 0
    factor = np.where(begins, 3.0, 1.0)
    due = np.flatnonzero(begins[-8:])
    told = wanted(tmp_path, factor, dates, 8, "--retail-calendar", "4-5-4")
    assert np.flatnonzero(told > 18).tolist() == due.tolist()
    other = wanted(tmp_path, factor, dates, 8, "--retail-calendar", "5-4-4")
    assert np.flatnonzero(other > 18).tolist() != due.tolist()


@pytest.mark.parametrize("country", ["ZZ", "ZZ-XX", "Germany"])
def test_a_country_without_known_holidays_is_refused(country: str, tmp_path: Path) -> None:
    done = invoke(tmp_path / "no.parquet", tmp_path / "out.parquet", "2024-01-01", 3,
                  "--country", country)  # fmt: skip
    assert done.exit_code == 1
    assert f"for the country '{country}'; give its ISO 3166 code in capitals" in done.stderr


def test_of_a_known_country_the_part_is_said_to_be_unknown() -> None:
    with pytest.raises(Problem, match=r"of the country 'JP' no part '13' is known.*JP alone"):
        check("JP-13")


def test_periods_that_are_only_counted_have_no_holidays(tmp_path: Path) -> None:
    table = long(names(2), np.arange(40), np.ones((2, 40)))
    pq.write_table(table, tmp_path / "panel.parquet")
    done = invoke(tmp_path / "panel.parquet", tmp_path / "out.parquet", "30", 5,
                  "--period", "W", "--retail-calendar", "4-4-5")  # fmt: skip
    assert done.exit_code == 1
    assert "column ds counts periods" in done.stderr
    assert "leave out --country and --retail-calendar" in done.stderr


def test_every_pattern_has_the_weeks_of_a_quarter() -> None:
    assert all(sum(weeks) == 13 for weeks in PATTERNS.values())
