"""What has not sold yet is forecast as its kin sell, not as nothing."""

import numpy as np
import pytest

from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Settings, forecast
from services.forecast.engine.newborn import newborn
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

WEEKS, AHEAD = 60, 4
RATES = (2.0, 20.0)  # Of the two kinds.


def panel(life: int) -> Panel:
    """200 series of two kinds; the last two have been there for ``life`` weeks and never sold."""
    random = np.random.default_rng(1)
    kinds = np.arange(200) % 2
    units = random.poisson(np.array(RATES)[kinds][:, np.newaxis], (200, WEEKS)).astype(float)
    units[-2:] = np.nan
    units[-2:, WEEKS - life :] = 0.0
    dates = Period.WEEK.dates(np.datetime64("2025-01-05"), WEEKS + AHEAD)
    static = {"kind": kinds, "item": np.arange(200) // 2}
    return Panel(Period.WEEK, dates, units, static=static)


@pytest.mark.parametrize("life", [0, 1])
def test_a_series_without_a_sale_is_expected_to_sell_as_its_kind_does(life: int) -> None:
    made = forecast(panel(life), Settings(Effort.LIGHT))
    slow, fast = made.mean[-2:].mean(axis=1)
    assert 0.3 * RATES[0] < slow < 2 * RATES[0]
    assert fast > 3 * slow
    assert made.quantiles([0.9])[0, -1].min() > 0


def test_what_never_sold_for_long_is_not_new() -> None:
    assert newborn(panel(1)).tolist() == [198, 199]
    assert newborn(panel(30)).size == 0
    assert forecast(panel(30), Settings(Effort.LIGHT)).mean[-2:].max() < 0.1


def test_without_attributes_nothing_is_borrowed() -> None:
    bare = panel(1)
    assert newborn(Panel(bare.period, bare.dates, bare.units)).size == 0
