"""The plain tier: what it promises for any panel."""

import numpy as np
import pytest

from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.plain import PlainTier
from services.forecast.engine.plain.choice import choose
from services.forecast.engine.plain.smoothing import COARSE
from services.forecast.engine.plain.workshop import Workshop

FIRST = np.datetime64("2024-01-01")


def _panel(units: list[list[float]], ahead: int, period: Period = Period.DAY) -> Panel:
    array = np.array(units, dtype=np.float64)
    return Panel(period, period.dates(FIRST, array.shape[1] + ahead), array)


@pytest.mark.parametrize("period", list(Period))
@pytest.mark.parametrize("past", [1, 2, 13, 40])
def test_forecasts_of_odd_series_are_finite_and_not_negative(period: Period, past: int) -> None:
    nan = float("nan")
    panel = _panel(
        [
            [0.0] * past,
            [nan] * past,
            [3.0] * past,
            [1e12] * past,
            [1e-9] * past,
            [nan] * (past - 1) + [4.0],
            [float(at) for at in range(past)],
            [float(past - at) if at % 3 else nan for at in range(past)],
        ],
        6,
        period,
    )
    (forecast,) = PlainTier().run(panel, [past], 6)
    assert forecast.shape == (8, 6)
    assert np.isfinite(forecast).all()
    assert (forecast >= 0).all()
    assert (forecast[0] == 0).all()
    assert forecast[2] == pytest.approx([3.0] * 6, rel=0.2)
    assert forecast[3] == pytest.approx([1e12] * 6, rel=0.2)


def test_a_panel_of_one_series_is_forecast() -> None:
    (forecast,) = PlainTier().run(_panel([[2.0] * 30], 4), [30], 4)
    assert forecast == pytest.approx(np.full((1, 4), 2.0), rel=1e-6)


def test_nothing_after_an_origin_is_read() -> None:
    draw = np.random.default_rng(7)
    units = draw.poisson(3.0, (20, 90)).astype(np.float64)
    changed = units.copy()
    changed[:, 60:] = 1000.0
    before = PlainTier().run(_panel(units.tolist(), 7), [50, 60], 7)
    after = PlainTier().run(_panel(changed.tolist(), 7), [50, 60], 7)
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one, other)


def test_what_is_said_of_an_origin_does_not_depend_on_the_others() -> None:
    draw = np.random.default_rng(8)
    panel = _panel(draw.poisson(3.0, (20, 90)).astype(np.float64).tolist(), 7)
    together = PlainTier().run(panel, [60, 83], 7)[0]
    alone = PlainTier().run(panel.until(60, 7), [60], 7)[0]
    assert together == pytest.approx(alone)


def test_a_day_with_empty_shelves_teaches_nothing() -> None:
    draw = np.random.default_rng(9)
    units = draw.poisson(6.0, (40, 84)).astype(np.float64)
    exposure = np.ones_like(units)
    out = draw.random(units.shape) < 0.3
    out[:, -3:] = True
    units[out], exposure[out] = 0.0, 0.0
    dates = Period.DAY.dates(FIRST, 84 + 7)
    (known,) = PlainTier().run(Panel(Period.DAY, dates, units, exposure=exposure), [84], 7)
    (ignored,) = PlainTier().run(Panel(Period.DAY, dates, units), [84], 7)
    assert known.mean() == pytest.approx(6.0, rel=0.05)
    assert ignored.mean() < 5.0


def test_half_a_day_on_the_shelf_sells_half() -> None:
    draw = np.random.default_rng(10)
    exposure = np.where(np.arange(84) % 3 == 0, 0.5, 1.0) * np.ones((40, 1))
    units = draw.poisson(6.0 * exposure).astype(np.float64)
    panel = Panel(Period.DAY, Period.DAY.dates(FIRST, 91), units, exposure=exposure)
    (forecast,) = PlainTier().run(panel, [84], 7)
    assert forecast.mean() == pytest.approx(6.0, rel=0.05)


@pytest.mark.parametrize(("period", "cycle"), [(Period.DAY, 7), (Period.MONTH, 12)])
def test_a_season_is_foreseen(period: Period, cycle: int) -> None:
    draw = np.random.default_rng(11)
    factors = 1.0 + 0.6 * np.sin(2 * np.pi * np.arange(6 * cycle) / cycle)
    means = draw.gamma(3.0, 10.0, (30, 1)) * factors
    units = draw.poisson(means).astype(np.float64)
    panel = Panel(period, period.dates(FIRST, 6 * cycle), units[:, : 5 * cycle])
    (forecast,) = PlainTier().run(panel, [5 * cycle], cycle)
    ahead = means[:, 5 * cycle :]
    assert np.abs(forecast - ahead).mean() < 0.15 * ahead.mean()


def test_an_article_that_ended_is_forecast_near_nothing() -> None:
    draw = np.random.default_rng(12)
    units = draw.poisson(5.0, (60, 120)).astype(np.float64)
    units[:30, 90:] = 0.0
    (forecast,) = PlainTier().run(_panel(units.tolist(), 7), [120], 7)
    assert forecast[:30].mean() < 0.5
    assert forecast[30:].mean() == pytest.approx(5.0, rel=0.1)


def test_series_of_all_blocks_are_forecast_in_their_places() -> None:
    draw = np.random.default_rng(13)
    level = draw.permutation(np.geomspace(1.0, 1000.0, 3000))
    units = draw.poisson(level[:, np.newaxis], (3000, 100)).astype(np.float64)
    (forecast,) = PlainTier().run(
        Panel(Period.WEEK, Period.WEEK.dates(FIRST, 104), units), [100], 4
    )
    assert np.corrcoef(np.log(forecast.mean(axis=1)), np.log(level))[0, 1] > 0.99


def test_the_same_panel_gives_the_same_forecast() -> None:
    draw = np.random.default_rng(14)
    panel = _panel(draw.poisson(2.0, (30, 60)).astype(np.float64).tolist(), 5)
    first, second = (PlainTier().run(panel, [60], 5)[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_a_week_that_all_series_share_is_foreseen_with_its_edges() -> None:
    draw = np.random.default_rng(15)
    dates = Period.WEEK.dates(FIRST, 156)
    days = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    peak = np.where(days // 7 == 50, 3.0, 1.0)
    means = draw.gamma(3.0, 2.0, (120, 1)) * peak
    units = draw.poisson(means).astype(np.float64)
    (forecast,) = PlainTier().run(Panel(Period.WEEK, dates[:156], units[:, :148]), [148], 8)
    share = forecast.sum(axis=0) / means[:, 148:].sum(axis=0)
    assert peak[148:].max() > 1.0
    assert share == pytest.approx(np.ones(8), abs=0.2)


def test_a_turning_trend_of_little_more_than_a_year_is_no_season() -> None:
    draw = np.random.default_rng(10)
    slopes = 5.0 + np.cumsum(draw.normal(0.0, 3.0, (60, 92)), axis=1)
    units = 800.0 + np.cumsum(slopes, axis=1) + draw.normal(0.0, 2.0, (60, 92))
    past, future = np.split(np.maximum(units, 0.0), [84], axis=1)
    (forecast,) = PlainTier().run(_panel(past.tolist(), 8, Period.WEEK), [84], 8)
    straight_on = past[:, -1:] + (past[:, -1:] - past[:, -9:-8]) / 8 * np.arange(1, 9)
    assert np.abs(forecast - future).mean() < 1.2 * np.abs(straight_on - future).mean()


def test_no_origin_judges_that_saw_half_of_a_short_past() -> None:
    units = np.random.default_rng(11).poisson(40.0, (50, 36)).astype(np.float64)
    dates = Period.MONTH.dates(np.datetime64("2021-01-01"), 36 + 18)
    short = Workshop.of_sample(Panel(Period.MONTH, dates, units), 18, COARSE)
    assert choose(short, 36).earlier == (27,)
    long = Workshop.of_sample(Panel(Period.MONTH, dates, units), 6, COARSE)
    assert choose(long, 36).earlier == (30, 24, 18)
