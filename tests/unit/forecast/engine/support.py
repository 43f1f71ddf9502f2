"""Small panels to forecast."""

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

FIRST = np.datetime64("2024-01-01")


def panel(units: Floats, ahead: int, period: Period = Period.WEEK, **parts: object) -> Panel:
    units = np.asarray(units, dtype=np.float64)
    dates = period.dates(FIRST, units.shape[1] + ahead)
    return Panel(period, dates, units, **parts)  # type: ignore[arg-type] # What the test gives.


def poisson(series: int, periods: int, mean: float = 5.0, seed: int = 1) -> Floats:
    """(series, periods). Independent Poisson sales, each series with a mean of its own."""
    random = np.random.default_rng(seed)
    means = mean * random.gamma(2.0, 0.5, size=(series, 1))
    return random.poisson(np.broadcast_to(means, (series, periods))).astype(np.float64)
