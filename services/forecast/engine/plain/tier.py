"""The tier itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.plain.levels import levels
from services.forecast.engine.plain.observed import Observed

WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class PlainTier:
    """Forecasts from sales alone."""

    name: str = "plain"

    def run(self, panel: Panel, origins: Sequence[int], ahead: int) -> list[Floats]:
        """Forecasts from each origin, (series, ahead). See `Tier.run`."""
        return [_forecast(panel.until(origin, ahead), ahead) for origin in origins]


def _forecast(panel: Panel, ahead: int) -> Floats:
    observed = Observed.of(panel)
    profile = np.ones(panel.periods + ahead)
    if panel.period is Period.DAY:
        profile = _weekdays(panel, observed)
    exposed = observed.weight * profile[: panel.periods, np.newaxis]
    level = levels(observed.units, exposed, np.array([0.9, 0.97])).mean(axis=0)
    forecast: Floats = level[:, np.newaxis] * profile[np.newaxis, panel.periods :]
    return forecast


def _weekdays(panel: Panel, observed: Observed) -> Floats:
    """Multipliers of the days of the week, pooled over all series that sell; (periods + ahead,)."""
    days = panel.dates.astype("datetime64[D]").astype(np.int64) % WEEK_DAYS
    past = days[: panel.periods]
    mean = observed.units.sum(axis=0) / np.maximum(observed.weight.sum(axis=0), 1.0)
    scale = 1.0 / (mean + np.median(mean) + 1e-12)
    sold, due = observed.units @ scale, observed.weight @ (mean * scale)
    above = np.bincount(past, sold, WEEK_DAYS)
    below = np.bincount(past, due, WEEK_DAYS)
    factors = np.where(below > 0, above / np.maximum(below, 1e-12), 1.0)
    return factors[days]
