"""Forecasts from past origins, each made from a panel cut there, against what then happened."""

from dataclasses import dataclass

import numpy as np

from services.forecast import metrics
from services.forecast.models import intervals, tsb_calendar
from services.forecast.models.intervals import Conformal, Residuals, Spread
from services.forecast.panel import Floats, Panel

MOST_ORIGINS = 3
LEAST_TRAINING_DAYS = 28


@dataclass(frozen=True, slots=True)
class Held:
    """One origin: the days after it, of the series that had sold by then. (held days, series)."""

    mean: Floats
    actual: Floats
    spread: Spread

    @property
    def residuals(self) -> Residuals:
        return Residuals.of(self.mean, self.spread.scale(self.mean), self.actual)


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of the newest origin. NaN without one, and the WAPE also where nothing sold."""

    coverage: float
    wape: float


def origins(days: int, horizon: int) -> list[tuple[int, int]]:
    """Picks origins, newest first: pairs of (training days, held-back days).

    Held-back spans do not overlap. They are as long as the horizon, but at most a quarter of the
    history of ``days``; a history of one day has no origin.
    """
    held = min(horizon, max(days // 4, 1))
    least = min(LEAST_TRAINING_DAYS, days - held)
    found = [(days - step * held, held) for step in range(1, MOST_ORIGINS + 1)]
    return [(training, held) for training, held in found if training >= max(least, 1)]


def run(panel: Panel, horizon: int) -> list[Held]:
    """Forecasts from every origin, newest first."""
    return [_hold_back(panel, training, held) for training, held in origins(panel.days, horizon)]


def _hold_back(panel: Panel, training: int, held: int) -> Held:
    past = panel.until(training)
    fitted = tsb_calendar.fit(past)
    known = past.first_sales() < training
    spread = Spread(fitted.spread.dispersion, fitted.spread.excess[known])
    actual = panel.units[training : training + held][:, known]
    return Held(fitted.means(held)[:, known], actual, spread)


def calibration(helds: list[Held]) -> Conformal | None:
    """Calibrates on ``helds``; None where they are too few to."""
    return intervals.calibrate(Residuals.pooled([held.residuals for held in helds]))


def intervals_of(mean: Floats, spread: Spread, calibrated: Conformal | None) -> Floats:
    """P10, P50, P90 of ``mean``, as (3, days, series)."""
    if calibrated is None:
        return intervals.without_calibration(mean, spread)
    return calibrated.quantiles(mean, spread.scale(mean))


def score(helds: list[Held]) -> Score:
    """Scores the newest origin. Its intervals are calibrated on the older ones alone."""
    if not helds:
        return Score(np.nan, np.nan)
    newest, older = helds[0], helds[1:]
    low, _, high = intervals_of(newest.mean, newest.spread, calibration(older))
    return Score(
        coverage=metrics.coverage(newest.actual, low, high),
        wape=metrics.wmape(newest.actual, newest.mean),
    )
