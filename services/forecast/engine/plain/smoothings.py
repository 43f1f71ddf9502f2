"""The candidates that smooth: all that are means over one grid share one run through it."""

from collections.abc import Collection

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.plain.observed import Observed
from services.forecast.engine.plain.smoothing import Grid, Smoothed, smooth

SMOOTHINGS = ("smooth", "theta", "smooth sum", "smooth log", "theta log", "average")
AVERAGED = ("smooth", "theta", "smooth log", "theta log")
TREND_SHARE = 0.5  # Of the slope, as in the theta method (Assimakopoulos and Nikolopoulos 2000).
LEAST_FACTOR = 0.05  # Of a profile that may be divided by.
MOST_GROWTH = 1.5  # Of a logarithm over the highest that was seen.


def smoothings(
    observed: Observed, profile: Floats, wanted: Collection[str], grid: Grid
) -> dict[str, Floats]:
    """Forecasts, (ahead, series), of those of SMOOTHINGS that are ``wanted``.

    What they are made of may be among them. ``profile`` is (periods + ahead, series or 1).
    """
    found = {"smooth sum": _sum(observed, profile, grid)} if "smooth sum" in wanted else {}
    parts = {*wanted, *AVERAGED} if "average" in wanted else {*wanted}
    kinds = [kind for kind in ("smooth", "theta") if parts & {kind, f"{kind} log"}]
    if not kinds:
        return found
    if kinds == ["theta"]:
        grid = grid.only(grid.theta(TREND_SHARE))
    past, later = np.split(profile, [observed.units.shape[0]])
    ahead = later.shape[0]
    usable = np.where(past > LEAST_FACTOR, observed.weight, 0.0)
    divided = observed.units / np.where(usable > 0, observed.weight * past, 1.0)
    smoothed = smooth(divided, usable, past, grid)
    for kind in kinds:
        found[kind] = np.maximum(_mean(smoothed, kind, ahead), 0.0) * later
    if any(model.endswith("log") for model in parts):
        rows = observed.positive()
        logs = np.log(np.where(usable > 0, divided, 1.0)[:, rows])
        least, most = logs.min(axis=0) - MOST_GROWTH, logs.max(axis=0) + MOST_GROWTH
        smoothed = smooth(logs, usable[:, rows], np.ones((1, 1)), grid)
        factors = np.broadcast_to(later, (ahead, rows.size))[:, rows]
        for kind in kinds:
            grown = np.exp(np.clip(_mean(smoothed, kind, ahead), least, most))
            found[f"{kind} log"] = found[kind].copy()
            found[f"{kind} log"][:, rows] = grown * factors
    if "average" in wanted:
        found["average"] = np.mean([found[model] for model in AVERAGED], axis=0)
    return found


def _mean(smoothed: Smoothed, kind: str, ahead: int) -> Floats:
    """(ahead, series). Over all configurations, or over those that make a theta method."""
    if kind == "theta":
        smoothed = smoothed.only(smoothed.grid.theta(TREND_SHARE))
    return smoothed.forecast(ahead)


def _sum(observed: Observed, profile: Floats, grid: Grid) -> Floats:
    """Smoothing of what is left when a season is taken away, not divided by."""
    units, weight = observed.units, observed.weight
    mean = units.sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-12)
    past, later = np.split((profile - 1.0) * mean, [units.shape[0]])
    rate = units / np.where(weight > 0, weight, 1.0)
    smoothed = smooth(rate - past, weight, np.ones((1, 1)), grid)
    found: Floats = np.maximum(smoothed.forecast(later.shape[0]) + later, 0.0)
    return found
