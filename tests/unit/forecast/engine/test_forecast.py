import numpy as np
import pytest

from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Forecast, Settings, forecast
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from tests.unit.forecast.engine.support import panel, poisson

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)
EMPTY = np.full((3, 30), np.nan)
AWKWARD = {
    "one series of one period": panel(np.array([[3.0]]), ahead=4),
    "nothing ever sold": panel(np.zeros((3, 60)), ahead=4),
    "nothing ever recorded": panel(EMPTY, ahead=4),
    "one record in all": panel(np.where(np.arange(30) == 29, 2.0, EMPTY), ahead=4),
    "a horizon longer than the past": panel(poisson(2, 10), ahead=24, period=Period.MONTH),
    "one series": panel(poisson(1, 80), ahead=8),
    "huge beside tiny": panel(poisson(5, 80) * 10.0 ** np.arange(-1, 9, 2)[:, None], ahead=8),
    "begun after the past origins": panel(
        np.where((np.arange(80) < 76) & (np.arange(5) > 2)[:, None], np.nan, poisson(5, 80)), 8
    ),
}


def assert_sound(made: Forecast, given: Panel) -> None:
    shape = (given.series, given.ahead)
    quantiles = made.quantiles(LEVELS)
    assert quantiles.shape == (len(LEVELS), *shape)
    for values in (made.mean, quantiles, *made.tiers.values()):
        assert values.shape[-2:] == shape
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert (np.diff(quantiles, axis=0) >= 0).all()


@pytest.mark.parametrize("given", AWKWARD.values(), ids=AWKWARD.keys())
@pytest.mark.parametrize("effort", Effort)
def test_every_panel_has_a_forecast(given: Panel, effort: Effort) -> None:
    assert_sound(forecast(given, Settings(effort)), given)


def test_a_panel_without_series_or_future_is_refused() -> None:
    with pytest.raises(ValueError, match="ahead"):
        forecast(panel(poisson(2, 10), ahead=0))
    with pytest.raises(ValueError, match="series"):
        forecast(panel(np.zeros((0, 10)), ahead=2))


def test_held_back_forecasts_come_with_what_then_happened() -> None:
    given = panel(poisson(20, 80), ahead=8)
    made = forecast(given, Settings(Effort.LIGHT))
    assert [one.origin for one in made.held] == [56, 64, 72]
    assert np.array_equal(made.held[-1].actual, given.units[:, 72:])
    assert made.scores["mean"] == pytest.approx(0.7, abs=0.15)


def test_two_runs_agree_bit_by_bit() -> None:
    given = panel(poisson(20, 80), ahead=8)
    first, second = forecast(given), forecast(given)
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.quantiles(LEVELS), second.quantiles(LEVELS))
