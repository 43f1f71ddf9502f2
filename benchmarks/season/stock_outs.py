"""Levels and forecasts from sales of shelves that run empty, against what customers wanted."""

import numpy as np

from benchmarks.season.world import World, world
from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Settings, forecast
from services.forecast.engine.panel import Panel

SHARE = 0.3  # Of days on sale that end with an empty shelf.
HORIZON_DAYS = 28
LEVEL_DAYS = 56
MEMORY = 0.97  # Of a day, in levels.

Row = dict[str, tuple[float, float, float]]  # By way: estimated units, true ones, absolute error.


def ways(made: World) -> dict[str, Panel]:
    """What may be made of the same sales; the first is what only a simulator knows."""
    return {
        "all_demand_known": made.panel,
        "ignored": made.seen(),
        "days_left_out": made.masked(),
        "engine": made.uncensored(),
    }


def measure(seed: int) -> tuple[Row, Row, float, float]:
    """Levels, forecasts, the share of days that ended empty, and the share of demand lost."""
    made = world(seed, stock_out_share=SHARE)
    origin = made.days - HORIZON_DAYS
    live = made.on_sale[:, origin - LEVEL_DAYS :].all(axis=1)
    weekday = _weekday(made)
    levels, forecasts = {}, {}
    for name, panel in ways(made).items():
        past = panel.until(origin, HORIZON_DAYS)
        truth = _discounted(made.expected, made.on_sale * weekday, origin)
        levels[name] = _compared(_level(past, weekday[:origin])[live], truth[live])
        mean = forecast(past, Settings(effort=Effort.LIGHT)).mean
        wanted = made.expected[live, origin:].sum(axis=1)
        forecasts[name] = _compared(mean[live].sum(axis=1), wanted)
    shelves = made.season.truth
    return levels, forecasts, shelves.stock_out_share, shelves.lost_share


def _compared(found: Floats, truth: Floats) -> tuple[float, float, float]:
    return float(found.sum()), float(truth.sum()), float(np.abs(found - truth).sum())


def _weekday(made: World) -> Floats:
    """(days,). What the simulator multiplies a day's demand by."""
    shares = np.array(made.season.config.retailer.weekday_shares)
    return np.asarray((shares / shares.mean())[[day.weekday() for day in made.season.days]])


def _level(panel: Panel, weekday: Floats) -> Floats:
    """(series,). A discounted rate, which nothing but sales and exposure enter."""
    exposed = ~np.isnan(panel.units) * (1.0 if panel.exposure is None else panel.exposure)
    sold = np.where(exposed > 0, np.nan_to_num(panel.units), 0.0)
    return _discounted(sold, exposed * weekday, panel.periods)


def _discounted(units: Floats, exposed: Floats | Booleans, origin: int) -> Floats:
    age = MEMORY ** np.arange(origin)[::-1]
    return np.asarray((units[:, :origin] @ age) / np.maximum(exposed[:, :origin] @ age, 1e-9))


def figures(rows: list[Row]) -> dict[str, dict[str, float]]:
    """By way: bias and wMAPE over all seeds together."""
    found = {}
    for name in rows[0]:
        total = np.sum([row[name] for row in rows], axis=0)
        found[name] = {"bias": total[0] / total[1] - 1, "wmape": total[2] / total[1]}
    return found
