"""Trends of groups: net of the season, with states that mean what they say."""

import numpy as np
import pytest

from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.trends import State, find_trends, promotion_uplift
from services.forecast.engine.trends.index import demand_index

FIRST = np.datetime64("2023-01-02")


def weekly(units: np.ndarray, **parts: object) -> Panel:
    dates = Period.WEEK.dates(FIRST, units.shape[1])
    return Panel(Period.WEEK, dates, units.astype(np.float64), **parts)  # type: ignore[arg-type]


def seasonal(weeks: int, groups: int, seed: int = 1) -> np.ndarray:
    """Counts of groups that share a strong season and have no trend."""
    rng = np.random.default_rng(seed)
    wave = np.exp(0.8 * np.sin(2 * np.pi * np.arange(weeks) / 52))
    return rng.poisson(100 * wave, (groups, weeks)).astype(np.float64)


def moved(units: np.ndarray, group: int, factors: np.ndarray) -> np.ndarray:
    found = units.copy()
    found[group, -factors.size :] *= factors
    return found


GROWTH = np.repeat([1.0, 1.6, 2.5], 8)
DECLINE = np.repeat([1.0, 0.6, 0.35], 8)
PEAK = np.repeat([1.0, 1.8, 1.8], 8)


def test_the_season_is_no_trend() -> None:
    # In week 110 the season rises steeply for all.
    found = find_trends(weekly(seasonal(110, 12)), np.arange(12))
    assert (found.state == State.STEADY).mean() > 0.8
    assert np.abs(found.momentum.shrunk).max() < 0.2
    assert (found.season_ahead > 0.1).all()


@pytest.mark.parametrize(
    ("factors", "state"),
    [(GROWTH, State.RISING), (DECLINE, State.FADING), (PEAK, State.PEAKING)],
)
def test_states_tell_what_happened(factors: np.ndarray, state: State) -> None:
    found = find_trends(weekly(moved(seasonal(160, 12), 3, factors)), np.arange(12))
    assert found.state[3] == state
    assert (np.delete(found.state, 3) == State.STEADY).mean() > 0.8
    if state is State.RISING:
        assert found.order[0] == 3
        assert found.chance[3] > 0.9


def test_a_young_group_that_grows_is_emerging() -> None:
    units = seasonal(160, 12)
    units[3] = np.nan
    units[3, -12:] = np.linspace(10, 300, 12)
    assert find_trends(weekly(units), np.arange(12)).state[3] == State.EMERGING


@pytest.mark.parametrize("weeks", [1, 2, 7, 30])
def test_less_than_a_year_knows_no_season_and_does_not_fail(weeks: int) -> None:
    found = find_trends(weekly(seasonal(weeks, 3)), np.array([0, 0, 1]))
    assert found.state.shape == (2,)
    assert np.isfinite(found.outlook).all()
    assert np.isfinite(found.momentum.shrunk).all()
    assert (found.season_ahead == 0).all()


def test_groups_that_never_sold_are_steady_and_not_ranked() -> None:
    units = seasonal(60, 3)
    units[1] = 0
    units[2] = np.nan
    found = find_trends(weekly(units), np.arange(3))
    assert found.order.tolist() == [0]
    assert (found.state[1:] == State.STEADY).all()
    assert np.isfinite(found.outlook).all()


def test_few_units_are_less_sure() -> None:
    units = seasonal(160, 12)
    units[1] = np.round(units[1] / 50)
    units = moved(moved(units, 0, GROWTH), 1, GROWTH)
    found = find_trends(weekly(units), np.arange(12))
    assert found.momentum.deviation[1] > found.momentum.deviation[0]
    assert found.momentum.shrunk[1] < found.momentum.shrunk[0]


def test_kin_have_a_season_of_their_own() -> None:
    weeks = 60
    summer = seasonal(weeks, 6)
    winter = np.random.default_rng(2).poisson(
        100 * np.exp(-0.8 * np.sin(2 * np.pi * np.arange(weeks) / 52)), (6, weeks)
    )
    panel, kin = weekly(np.vstack([summer, winter])), np.repeat([0, 1], 6)
    apart, together = (find_trends(panel, np.arange(12), one).season_ahead for one in (kin, None))
    assert apart[0] * apart[-1] < 0
    assert apart[:6].mean() > together[:6].mean()
    assert apart[6:].mean() < together[6:].mean()


def test_an_empty_shelf_is_no_decline() -> None:
    units = seasonal(120, 8)
    exposure = np.ones_like(units)
    units[0, -8:] = np.round(units[0, -8:] * 0.4)
    exposure[0, -8:] = 0.4
    assert find_trends(weekly(units), np.arange(8)).state[0] == State.FADING
    assert find_trends(weekly(units, exposure=exposure), np.arange(8)).state[0] == State.STEADY


def test_a_promotion_is_no_rise() -> None:
    units, uplift = seasonal(120, 8), np.ones((8, 120))
    units[0, -8:] *= 2
    uplift[0, -8:] = 2
    panel = weekly(units)
    assert find_trends(panel, np.arange(8)).state[0] == State.RISING
    assert find_trends(panel, np.arange(8), uplift=uplift).state[0] == State.STEADY


def test_uplift_is_read_from_what_is_known() -> None:
    rng = np.random.default_rng(4)
    flag = (rng.random((40, 80)) < 0.15).astype(np.float64)
    units = rng.poisson(20 * np.exp(0.7 * flag)).astype(np.float64)
    panel = weekly(units, known={"flag": flag})
    found = promotion_uplift(panel)
    assert found is not None
    assert found[flag == 1].mean() / found[flag == 0].mean() == pytest.approx(2.0, rel=0.2)
    assert promotion_uplift(weekly(units)) is None


def test_days_are_added_up_to_weeks_that_end_with_the_panel() -> None:
    units = np.tile(np.arange(1.0, 8.0), 5)[np.newaxis, :-2]
    dates = Period.DAY.dates(FIRST, units.shape[1])
    index = demand_index(Panel(Period.DAY, dates, units), np.zeros(1, dtype=np.int64))
    assert index.demand.tolist() == [[28.0] * 4]
    assert index.dates[-1] == dates[-7]


def test_rows_can_be_left_out() -> None:
    units = seasonal(20, 3)
    index = demand_index(weekly(units), np.array([0, -1, 0]))
    assert np.array_equal(index.units[0], units[0] + units[2])


def test_months_work_as_well() -> None:
    rng = np.random.default_rng(1)
    units = rng.poisson(50 * np.exp(0.5 * np.sin(2 * np.pi * np.arange(40) / 12)), (4, 40))
    panel = Panel(Period.MONTH, Period.MONTH.dates(FIRST, 40), units.astype(np.float64))
    found = find_trends(panel, np.arange(4))
    assert np.abs(found.momentum.shrunk).max() < 0.3


def test_nothing_later_is_read() -> None:
    panel = weekly(seasonal(120, 5))
    later = weekly(np.hstack([panel.units[:, :100], 9 * panel.units[:, 100:]]))
    one, other = (find_trends(each.until(100, 0), np.arange(5)) for each in (panel, later))
    assert np.array_equal(one.outlook, other.outlook)
