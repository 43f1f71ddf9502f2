from datetime import date

import numpy as np
import pytest

from services.forecast.features import fit_calendar
from services.forecast.models import tsb_calendar
from tests.unit.forecast.support import MONDAY, panel, poisson


def test_the_weekly_shape_is_that_of_all_series_together() -> None:
    shape = np.array([1.0, 1.0, 1.0, 1.0, 1.5, 2.5, 0.0])
    units = np.column_stack([np.tile(shape * level, 20) for level in (2, 4, 10)])
    calendar = fit_calendar(panel(units))
    assert calendar.week[:, 0] == pytest.approx(shape / shape[:6].mean(), rel=0.02)


def test_a_store_that_sells_much_has_a_weekly_shape_of_its_own() -> None:
    flat, peaked = np.full(7, 100.0), np.array([50.0, 50, 50, 50, 100, 300, 100])
    calendar = fit_calendar(panel(np.tile(np.column_stack([flat, peaked]), (26, 1)), [0, 1]))
    assert calendar.week[5, 0] == pytest.approx(1.0, abs=0.1)
    assert calendar.week[5, 1] == pytest.approx(3.0, abs=0.3)


def test_a_weekday_is_closed_for_the_store_that_never_sells_on_it() -> None:
    units = poisson(np.array([5.0, 5.0]), days=98)
    units[panel(units).weekdays(0, 98) == 6, 1] = 0
    calendar = fit_calendar(panel(units, [0, 1]))
    assert calendar.week[6, 0] > 0
    assert calendar.week[6, 1] == 0


def test_a_store_that_seldom_sells_is_not_called_closed() -> None:
    units = poisson(np.array([0.05]), days=200)
    calendar = fit_calendar(panel(units))
    assert calendar.open.all()
    assert (calendar.week > 0).all()


def test_a_holiday_is_no_observation_but_a_long_silence_is() -> None:
    units = poisson(np.full(10, 5.0), days=120)
    units[60] = 0
    units[80:110] = 0
    calendar = fit_calendar(panel(units))
    assert not calendar.open[60, 0]
    assert calendar.open[[59, 61], 0].all()
    assert not calendar.open[80:94, 0].any()
    assert calendar.open[94:110, 0].all()


def test_without_two_years_no_season_is_claimed() -> None:
    units = poisson(np.full(3, 5.0), days=729)
    calendar = fit_calendar(panel(units))
    assert not calendar.seasonal
    assert (calendar.season == 1).all()


def test_two_years_show_the_season_and_growth_is_not_taken_for_it() -> None:
    days = np.arange(3 * 365)
    season = 1 + 0.5 * np.sin(2 * np.pi * days / 365)
    growth = 1.3 ** (days / 365)
    units = (20 * season * growth)[:, np.newaxis] * np.ones((1, 5))
    calendar = fit_calendar(panel(units, first_date=date(2022, 1, 1)))
    assert calendar.seasonal
    truth = 1 + 0.5 * 6 / 7 * np.sin(2 * np.pi * np.arange(365) / 365)  # Shrunk by a seventh.
    assert np.abs(calendar.season - truth).max() < 0.08


def test_a_season_lifts_the_forecast_before_the_sales_do() -> None:
    days = np.arange(3 * 365 + 60)
    season = 1 + 0.8 * np.sin(2 * np.pi * (days - 100) / 365)
    units = (20 * season)[:, np.newaxis] * np.ones((1, 5))
    start = 2 * 365 + 80
    history = panel(units, first_date=date(2021, 1, 1))
    fitted = tsb_calendar.fit(history.until(start))
    actual = units[start : start + 60]
    error = np.abs(fitted.means(60) - actual).sum() / actual.sum()
    frozen = np.abs(units[start - 1] - actual).sum() / actual.sum()
    assert error < 0.6 * frozen


def test_leap_days_share_the_profile_of_the_day_before() -> None:
    leap = panel(np.zeros((1, 1)), first_date=date(2024, 2, 28))
    assert leap.days_of_year(0, 3).tolist() == [58, 58, 59]
    assert panel(np.zeros((1, 1))).days_of_year(0, 2).tolist() == [60, 61]
    assert panel(np.zeros((1, 1)), first_date=date(2024, 12, 31)).days_of_year(0, 1).tolist() == [
        364
    ]


def test_weekdays_follow_the_calendar() -> None:
    assert MONDAY.weekday() == 0
    assert panel(np.zeros((3, 1))).weekdays(5, 9).tolist() == [5, 6, 0, 1]
