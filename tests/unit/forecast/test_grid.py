from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.forecast.domain.forecasts import Extent
from services.forecast.engine.period import Period
from services.forecast.panels.grid import Grid, grid_of

MONDAY = date(2026, 3, 2)
DAYS = st.dates(date(2019, 1, 1), date(2027, 1, 1))


@given(
    first=DAYS,
    length=st.integers(0, 800),
    period=st.sampled_from(Period),
    ahead=st.integers(1, 20),
    week_end=st.integers(0, 6),
)
def test_columns_are_whole_periods_within_the_history(
    first: date, length: int, period: Period, ahead: int, week_end: int
) -> None:
    extent = Extent(first, first + timedelta(days=length), 1)
    grid = grid_of(extent, period, ahead, week_end)
    assert grid.periods >= 1
    assert grid.dates.size == grid.periods + ahead
    assert (np.diff(grid.dates.astype(np.int64)) > 0).all()
    np.testing.assert_array_equal(grid.dates, period.dates(grid.dates[0], grid.dates.size))
    if grid.periods > 1:
        assert first <= grid.first_day
        assert grid.cutoff <= extent.last_date
        longest = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 31}[period]
        assert (grid.first_day - first).days < longest
        assert (extent.last_date - grid.cutoff).days < longest
    if period is Period.WEEK:
        assert grid.cutoff.weekday() == week_end
    if period is Period.MONTH:
        assert (grid.cutoff + timedelta(days=1)).day == 1


@given(
    first=DAYS, length=st.integers(0, 60), period=st.sampled_from(Period), ahead=st.integers(1, 5)
)
def test_shares_count_every_day_of_the_grid_once(
    first: date, length: int, period: Period, ahead: int
) -> None:
    grid = grid_of(Extent(MONDAY, MONDAY + timedelta(days=100), 1), period, ahead, 6)
    last = first + timedelta(days=length)
    begin, shares = grid.shares(first, last)
    lengths = np.diff(grid.edges).astype(np.int64)
    days = float((shares * lengths[begin : begin + shares.size]).sum())
    inside = (np.arange(grid.edges[0], grid.edges[-1]) >= np.datetime64(first)) & (
        np.arange(grid.edges[0], grid.edges[-1]) <= np.datetime64(last)
    )
    assert days == pytest.approx(inside.sum())
    assert ((shares > 0) & (shares <= 1)).all()


def test_the_days_of_a_grid_are_those_of_its_past() -> None:
    grid = Grid(Period.MONTH, date(2026, 2, 1), 2, 3)
    assert grid.daily().periods == 28 + 31
    assert grid.daily().dates[-1] == np.datetime64("2026-03-31")
