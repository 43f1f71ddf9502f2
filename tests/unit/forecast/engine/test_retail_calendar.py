"""Weeks of the retail year, against the National Retail Federation's calendars in print."""

import numpy as np
import pytest

from services.forecast.engine.calendar_events import SATURDAY, weekday
from services.forecast.engine.retail_calendar import RetailCalendar


@pytest.mark.parametrize(
    ("day", "year", "week", "month"),
    [
        ("2018-02-03", 2017, 53, 12),  # 2012, 2017 and 2023 had 53 weeks.
        ("2018-02-04", 2018, 1, 1),
        ("2023-01-29", 2023, 1, 1),
        ("2023-02-26", 2023, 5, 2),
        ("2023-12-31", 2023, 49, 12),
        ("2024-02-03", 2023, 53, 12),
        ("2024-02-04", 2024, 1, 1),
        ("2013-02-02", 2012, 53, 12),
        ("2025-02-01", 2024, 52, 12),
    ],
)
def test_a_day_has_its_place(day: str, year: int, week: int, month: int) -> None:
    found = RetailCalendar().read(np.array([day], dtype="datetime64[D]"))
    assert (found.year.item(), found.week.item(), found.month.item()) == (year, week, month)


def test_years_are_whole_weeks_and_follow_each_other() -> None:
    ends = RetailCalendar().ends(np.arange(2000, 2060))
    assert (weekday(ends) == SATURDAY).all()
    assert set(np.diff(ends).astype(int).tolist()) == {364, 371}


def test_every_day_lies_in_a_month_of_the_length_that_is_told() -> None:
    dates = np.arange(np.datetime64("2011-01-30"), np.datetime64("2019-02-03"))
    found = RetailCalendar().read(dates)
    _, counts = np.unique(100 * found.year + found.month, return_counts=True)
    first = np.unique(100 * found.year + found.month, return_index=True)[1]
    np.testing.assert_array_equal(counts, 7 * found.weeks_in_month[first])
