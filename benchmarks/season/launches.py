"""Forecasts of choices at their launch and in their first weeks, against what was wanted."""

import numpy as np

from benchmarks.season.world import World, world
from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.cold_start import cold_means, estimate
from services.forecast.engine.panel import Panel
from services.forecast.engine.plain import PlainTier

AGES_DAYS = (0, 7, 14, 28)
HORIZON_DAYS = 28
FIRST_DAY = 200  # Of history, before launches are looked at.

Row = dict[str, tuple[float, float, float]]  # By way: units, true ones, absolute error.


def measure(seed: int) -> dict[int, list[Row]]:
    """By age: a row for each launch of a style in the season."""
    made = world(seed)
    starts = made.panel.starts()
    found: dict[int, list[Row]] = {age: [] for age in AGES_DAYS}
    for start in np.unique(starts[starts >= FIRST_DAY]).tolist():
        rows = np.flatnonzero(starts == start)
        for age in AGES_DAYS:
            origin = start + age
            if origin + HORIZON_DAYS <= made.days:
                found[age].append(_row(made, rows, origin, age))
    return found


def _row(made: World, rows: Integers, origin: int, age: int) -> Row:
    past = made.uncensored().until(origin, HORIZON_DAYS)
    truth = made.expected[rows, origin : origin + HORIZON_DAYS].sum(axis=1)
    ways = {"average": _average(past, rows)}
    if age == 0:
        ways["engine"] = _new(past, rows)
    else:
        ways["engine"] = cold_means(past, rows, HORIZON_DAYS).sum(axis=1)
        ways["own_sales"] = np.nanmean(past.units[rows, -age:], axis=1) * HORIZON_DAYS
        ways["plain_tier"] = PlainTier().run(past, [origin], HORIZON_DAYS)[0][rows].sum(axis=1)
    return {
        name: (float(units.sum()), float(truth.sum()), float(np.abs(units - truth).sum()))
        for name, units in ways.items()
    }


def _new(past: Panel, rows: Integers) -> Floats:
    """As a planner asks: the style and the choice are not in the panel."""
    others = past.of(np.flatnonzero(past.starts() < past.periods))
    codes = {name: column[rows].copy() for name, column in past.static.items()}
    codes["style"][:] = codes["choice"][:] = -1
    found = np.zeros(rows.size)
    for choice in np.unique(past.static["choice"][rows]).tolist():
        mine = past.static["choice"][rows] == choice
        asked = {name: column[mine] for name, column in codes.items()}
        found[mine] = estimate(others, asked, HORIZON_DAYS, item="choice").mean.sum(axis=1)
    return found


def _average(past: Panel, rows: Integers) -> Floats:
    """What an average series of the same category and store sold in the last four weeks."""
    recent = past.units[:, -HORIZON_DAYS:]
    sold, days = np.nansum(recent, axis=1), (~np.isnan(recent)).sum(axis=1)
    found = np.zeros(rows.size)
    for index, row in enumerate(rows.tolist()):
        alike = days > 0
        for name in ("category", "store"):
            same = alike & (past.static[name] == past.static[name][row])
            alike = same if same.any() else alike
        found[index] = sold[alike].sum() / days[alike].sum() * HORIZON_DAYS
    return found


def figures(rows: list[Row]) -> dict[str, dict[str, float]]:
    """By way: bias and wMAPE over all launches together."""
    found = {}
    for name in rows[0]:
        total = np.sum([row[name] for row in rows], axis=0)
        found[name] = {"bias": total[0] / total[1] - 1, "wmape": total[2] / total[1]}
    return found
