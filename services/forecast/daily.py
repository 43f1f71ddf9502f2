"""One pass over a tenant's history: forecasts with intervals, how far to trust them, trends."""

from dataclasses import dataclass

import numpy as np

from services.forecast import backtest
from services.forecast.backtest import Score
from services.forecast.models import tsb_calendar
from services.forecast.panel import Floats, Integers, Panel
from services.forecast.trends import Trends, find_trends


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything finite and not negative, but a score where nothing could be held back."""

    mean: Floats  # (horizon, series). Expected units.
    quantiles: Floats  # (3, horizon, series). P10, P50, P90, ascending.
    score: Score
    trends: Trends


def forecast(panel: Panel, products: Integers, horizon: int) -> Outcome:
    """Forecasts the ``horizon`` days after ``panel``. Deterministic; reads nothing but its input.

    The intervals are calibrated on every origin held back, the score comes from the newest one
    with the intervals calibrated on the older.

    Args:
        panel: at least one day and one series.
        products: (series,), the product of each series, numbered from 0.
        horizon: days, at least 1.
    """
    helds = backtest.run(panel, horizon)
    fitted = tsb_calendar.fit(panel)
    mean = fitted.means(horizon)
    quantiles = backtest.intervals_of(mean, fitted.spread, backtest.calibration(helds))
    trends = find_trends(panel, products, fitted.calendar)
    return Outcome(np.ascontiguousarray(mean), quantiles, backtest.score(helds), trends)
