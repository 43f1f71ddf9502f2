"""Synthetic panels whose distribution is known."""

from collections.abc import Sequence

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.held import Held, hold
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

START = np.datetime64("2024-01-01")
LEVELS = (0.1, 0.5, 0.9)


def panel_of(units: Floats, ahead: int, period: Period = Period.WEEK) -> Panel:
    return Panel(period, period.dates(START, units.shape[1] + ahead), units)


def helds_of(panel: Panel, origins: Sequence[int], mean: Floats) -> list[Held]:
    """Past origins whose forecasts are the true ``mean``, (series, periods)."""
    ahead = panel.ahead
    return hold(panel, origins, [mean[:, each : each + ahead] for each in origins])


def counts(
    series: int, periods: int, mean: tuple[float, float], form: float, seed: int = 1
) -> tuple[Floats, Floats]:
    """Negative binomial units of shape parameter ``form``, and their means; (series, periods)."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.uniform(np.log(mean[0]), np.log(mean[1]), (series, 1)))
    true = np.repeat(rate, periods, axis=1)
    return rng.negative_binomial(form, form / (form + true)).astype(np.float64), true


def inside(actual: Floats, low: Floats, high: Floats) -> float:
    return float(((actual >= low) & (actual <= high)).mean())


def pinball(actual: Floats, quantile: Floats, level: float) -> float:
    """Written apart from `metrics`: over-forecasts cost 1 - level, under-forecasts level."""
    over = quantile > actual
    costs = np.where(over, (1 - level) * (quantile - actual), level * (actual - quantile))
    return float(costs.mean())
