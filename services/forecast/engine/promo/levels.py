"""The level of a series: units of an ordinary period, by discounted sums."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats

SPIKE = 0.3  # Power of the multiplier by which strong periods count less: they vary more.
LEAST = 1e-9  # Sum of multipliers below which nothing was offered.
STEEPEST = 0.5  # Logarithm: how far a trend may carry a level, up or down.


@dataclass(frozen=True, slots=True)
class Past:
    """What a level is estimated from. All (series, columns of the past)."""

    units: Floats  # 0 where not recorded.
    exposure: Floats  # Share of the period on the shelf; 0 where not recorded.
    logs: Floats  # Log multipliers.


def levels(past: Past, discounts: Sequence[float]) -> Floats:
    """(discounts, series). Discounted units by discounted multipliers.

    Exposure counts in the denominator: what could not sell does not read as no demand.
    """
    weight = np.exp(-SPIKE * past.logs)
    age = np.arange(past.units.shape[1] - 1, -1, -1.0)
    fading = np.asarray(discounts)[:, np.newaxis] ** age
    sold = fading @ (past.units * weight).T
    offered = fading @ (past.exposure * np.exp((1.0 - SPIKE) * past.logs)).T
    return np.divide(sold, offered, out=np.zeros_like(sold), where=offered > LEAST)


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth that is carried on, of the panel's and of the series' own."""

    panel: float = 0.0  # Share of the panel's growth.
    own: float = 0.0  # Share of what the series grows beyond it.
    damping: float = 0.95  # A period.


def growth(found: Floats, discounts: tuple[float, float]) -> tuple[float, Floats]:
    """Log growth a period of the panel, and of each series beyond it: (series,).

    ``found`` holds the `levels` of a fast and of a slow discount. What a series grows by itself is
    cut where it is beyond what a level that is not known exactly can say.
    """
    fast, slow = found
    gap = 1 / (1 - discounts[1]) - 1 / (1 - discounts[0])
    if slow.sum() <= 0 or fast.sum() <= 0:
        return 0.0, np.zeros_like(fast)
    panel = float(np.log(fast.sum() / slow.sum())) / gap
    both = (fast > 0) & (slow > 0)
    ratio = np.log(np.where(both, fast, 1.0) / np.where(both, slow, 1.0)) / gap
    return panel, np.where(both, ratio - panel, 0.0)


def carried(trend: Trend, panel: float, own: Floats, ahead: int) -> Floats:
    """(series, ahead). Logarithm by which the level has moved in each period ahead."""
    steps = np.cumsum(trend.damping ** np.arange(ahead))
    rate = trend.panel * panel + trend.own * own
    return (rate[:, np.newaxis] * steps).clip(-STEEPEST, STEEPEST)


def begun(units: Floats) -> Booleans:
    """(series, columns). From the first sale on, where something was recorded.

    Zeros before the first sale are a list of articles, not a history of demand.
    """
    sold = np.nan_to_num(units) > 0
    return np.isfinite(units) & (np.cumsum(sold, axis=1) > 0)
