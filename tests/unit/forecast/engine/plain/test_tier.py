"""The plain tier: what it promises for any panel."""

import numpy as np
import pytest

from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.plain import PlainTier

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
