"""Days of the year, checked against calendars in print."""

import numpy as np
import pytest

from services.forecast.engine.calendar_events import (
    THURSDAY,
    Event,
    easter,
    marks,
    named_holidays,
    nth_weekday,
    run_up,
    shut,
    weekday,
    will_be_shut,
    yearly_events,
)
from services.forecast.engine.period import Period


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def test_easter_falls_where_it_did() -> None:
    expected = days("1961-04-02", "2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31")
    years = np.array([1961, 2000, 2008, 2011, 2024])
    np.testing.assert_array_equal(easter(years), expected)


def test_monday_is_the_first_day_of_the_week() -> None:
    assert weekday(days("2024-01-01", "2024-01-07", "1969-12-31")).tolist() == [0, 6, 2]


def test_the_fourth_thursday_of_november() -> None:
    found = nth_weekday(np.array([2023, 2024, 2025]), 11, THURSDAY, 4)
    np.testing.assert_array_equal(found, days("2023-11-23", "2024-11-28", "2025-11-27"))


def test_an_event_marks_the_column_that_holds_it() -> None:
    event = Event("x", days("2024-01-10", "2025-01-10"))
    weeks = Period.WEEK.dates(np.datetime64("2024-01-01"), 4)
    assert marks(event, Period.WEEK, weeks).tolist() == [0, 1, 0, 0]
    assert marks(event, Period.WEEK, weeks, -1).tolist() == [1, 0, 0, 0]
    months = Period.MONTH.dates(np.datetime64("2023-12-31"), 3)
    assert marks(event, Period.MONTH, months).tolist() == [0, 1, 0]


def test_yearly_events_come_once_a_year() -> None:
    found = yearly_events(np.datetime64("2020-06-01"), np.datetime64("2022-06-01"))
    assert {event.name for event in found} == {"new_year", "easter", "black_friday", "christmas"}
    assert all(np.unique(event.days.astype("datetime64[Y]")).size == 5 for event in found)


def test_a_run_up_ends_on_its_day() -> None:
    dates = Period.DAY.dates(np.datetime64("2024-12-20"), 8)
    found = run_up(dates, days("2023-12-25", "2024-12-25"), 4)
    assert found.tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 0, 0]


def test_holidays_of_a_country() -> None:
    found = named_holidays("GB-SCT", np.datetime64("2024-01-01"), np.datetime64("2024-12-31"))
    assert np.datetime64("2024-11-30") in np.concatenate([event.days for event in found])
    with pytest.raises(ValueError, match="no holidays are known for 'ZZ'"):
        named_holidays("ZZ", np.datetime64("2024-01-01"), np.datetime64("2024-12-31"))


def test_a_day_without_sellers_is_shut_only_where_many_sell() -> None:
    sellers = np.full(40, 30)
    sellers[[20, 27]] = 0
    assert np.flatnonzero(shut(sellers)).tolist() == [20, 27]
    assert not shut(sellers // 10).any()


def test_a_weekday_that_was_always_shut_will_be() -> None:
    dates = Period.DAY.dates(np.datetime64("2024-01-01"), 84)
    past = weekday(dates)[:70] == 6
    found = will_be_shut(dates, past)
    assert np.flatnonzero(found[70:]).tolist() == [6, 13]
    past[-1] = False  # Open on the last Sunday.
    assert not will_be_shut(dates, past)[70:].any()


def test_christmas_is_shut_again_and_a_day_of_june_is_not() -> None:
    dates = Period.DAY.dates(np.datetime64("2023-01-01"), 2 * 366)
    past = np.isin(dates[:380], days("2023-12-25", "2023-06-07"))
    found = will_be_shut(dates, past)
    assert dates[380:][found[380:]].tolist() == days("2024-12-25").tolist()


def test_a_sunday_that_was_shut_does_not_shut_its_date() -> None:
    dates = Period.DAY.dates(np.datetime64("2023-01-01"), 2 * 366)
    past = weekday(dates[:380]) == 6  # 24 December 2023 was a Sunday.
    found = will_be_shut(dates, past)
    assert not found[np.flatnonzero(dates == np.datetime64("2024-12-24"))].any()
