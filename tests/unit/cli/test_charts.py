from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cli.charts import BAND, BARS, HEIGHT, MEDIAN, band_chart, sparkline

UNITS = st.floats(0, 1e6)


def test_a_sparkline_rises_with_its_values() -> None:
    assert sparkline([0, 1, 2, 4]) == "▁▃▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


@given(st.lists(st.tuples(UNITS, UNITS, UNITS).map(sorted), min_size=1, max_size=91))
def test_every_day_has_one_median(days: list[list[float]]) -> None:
    low, middle, high = zip(*days, strict=True)
    dates = [date(2026, 11, 23) + timedelta(days=i) for i in range(len(days))]
    lines = band_chart(dates, low, middle, high).split("\n")
    first = lines[HEIGHT].index("└") + 1
    grid = [line[first:].ljust(len(days)) for line in lines[:HEIGHT]]
    for column in range(len(days)):
        assert sum(row[column] == MEDIAN for row in grid) == 1
    assert set("".join(grid)) <= {BAND, MEDIAN, " "}
    assert "11-23" in lines[-1]


def test_bars_are_eight() -> None:
    assert len(BARS) == 8
