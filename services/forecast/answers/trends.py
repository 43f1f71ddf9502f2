"""Answers about trends and popularity from a panel that was read. Arrays alone: no database."""

from datetime import timedelta

import numpy as np

from services.forecast.domain.trends import (
    MOST_CHANGE_POINTS,
    STORE,
    ChangePoint,
    PopularityOf,
    Question,
    TrendOf,
    TrendState,
)
from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.change_points import change_points
from services.forecast.engine.panel import Panel
from services.forecast.engine.popularity import popularity
from services.forecast.engine.trends import State, Trends, find_trends
from services.forecast.panels.read import Read

P90 = 1.2815515655446004
"""The 90 % quantile of the standard normal distribution."""
WINDOW_WEEKS = 8
DAY, WEEK = timedelta(days=1), timedelta(days=7)
CATEGORY = "category"
BLOCK_GROUPS = 1_000
"""Whose changes are looked for at once: the search takes some 25 kB a group."""
STATES = {
    State.STEADY: TrendState.STEADY,
    State.EMERGING: TrendState.EMERGING,
    State.RISING: TrendState.RISING,
    State.PEAKING: TrendState.PEAKING,
    State.FADING: TrendState.FADING,
}


def trends_of(read: Read, question: Question) -> list[TrendOf]:
    """The trend of every group that sold in the last sixteen weeks, the surest to grow first."""
    groups, meanings = _groups(read, question)
    if not (groups >= 0).any():
        return []
    found = find_trends(read.panel, groups, _kin(read, question, groups))
    points = _points(found)
    units = found.index.units
    recent = units[:, -WINDOW_WEEKS:].sum(axis=1)
    previous = units[:, -2 * WINDOW_WEEKS : -WINDOW_WEEKS].sum(axis=1)
    growth, deviation = found.momentum.shrunk, P90 * found.momentum.deviation
    order = found.order[np.argsort(deviation[found.order] - growth[found.order], kind="stable")]
    return [
        TrendOf(
            group=meanings[code],
            rank=rank,
            state=STATES[State(int(found.state[code]))],
            growth_ratio=float(np.exp(growth[code])),
            growth_ratio_p10=float(np.exp(growth[code] - deviation[code])),
            growth_ratio_p90=float(np.exp(growth[code] + deviation[code])),
            rising_probability=float(found.chance[code]),
            outlook_ratio=float(np.exp(found.outlook[code])),
            recent_units=round(recent[code]),
            previous_units=round(previous[code]),
            change_points=tuple(points.get(code, [])[-MOST_CHANGE_POINTS:]),
        )
        for rank, code in enumerate(order.tolist(), start=1)
    ]


def popularity_of(read: Read, question: Question) -> list[PopularityOf]:
    """Every group that could be bought, the most popular first."""
    groups, meanings = _groups(read, question)
    if not (groups >= 0).any():
        return []
    places = None if question.group_by == STORE else read.panel.static[STORE]
    found = popularity(read.panel, groups, places)
    chosen = groups >= 0
    units = np.bincount(groups[chosen], np.nansum(read.panel.units[chosen], axis=1))
    share = _availability(read.panel, groups, chosen)
    return [
        PopularityOf(
            group=meanings[code],
            rank=rank,
            rate=float(found.rate[code]),
            rate_p10=float(found.lower[code]),
            units=round(units[code]),
            availability_share=float(share[code]),
        )
        for rank, code in enumerate(found.order.tolist(), start=1)
    ]


def _groups(read: Read, question: Question) -> tuple[Integers, tuple[str, ...]]:
    """(series,). The group of each series, -1 where the filter leaves it out; and their names.

    Series without the attribute that is grouped by are left out.
    """
    static, meanings = read.panel.static, read.names.static
    if question.group_by not in static:
        return np.full(read.panel.series, -1), ()
    codes = static[question.group_by].copy()
    names = meanings[question.group_by]
    codes[np.array([not name for name in names], dtype=np.bool_)[codes]] = -1
    if question.stores:
        wanted = np.array([name in question.stores for name in meanings[STORE]])
        codes[~wanted[static[STORE]]] = -1
    for attribute, value in question.attributes:
        if attribute not in static:
            return np.full(read.panel.series, -1), ()
        same = np.array([name == value for name in meanings[attribute]])
        codes[~same[static[attribute]]] = -1
    return codes, names


def _kin(read: Read, question: Question, groups: Integers) -> Integers | None:
    """(groups,). What shares a season: the category of each group, where that is known."""
    if CATEGORY not in read.panel.static or question.group_by in (STORE, CATEGORY):
        return None
    kin = np.zeros(int(groups.max()) + 1, dtype=np.int64)
    chosen = groups >= 0
    kin[groups[chosen]] = read.panel.static[CATEGORY][chosen]
    return kin


def _points(found: Trends) -> dict[int, list[ChangePoint]]:
    """Changes of level by group, net of the season, oldest first."""
    points: dict[int, list[ChangePoint]] = {}
    groups, steps = found.index.demand.shape
    for start in range(0, groups, BLOCK_GROUPS):
        block = slice(start, start + BLOCK_GROUPS)
        season: Floats = np.exp(found.season.log[block, :steps])
        changes = change_points(np.log(np.maximum(found.index.demand[block] / season, 0.0) + 1.0))
        rows = zip(changes.series, changes.column, changes.before, changes.after, strict=True)
        for group, column, before, after in rows:
            ratio = float(np.expm1(after) / max(np.expm1(before), 1e-9))
            # A week of the panel bears the date of its last day.
            day = found.index.dates[column].item() - WEEK + DAY
            points.setdefault(start + int(group), []).append(ChangePoint(day, ratio))
    return points


def _availability(panel: Panel, groups: Integers, chosen: Booleans) -> Floats:
    """(groups,). Share of the period on the shelf, from the first record of each series on."""
    carried = ~np.isnan(panel.units)
    exposed = carried * (1.0 if panel.exposure is None else panel.exposure)
    on_shelf = np.bincount(groups[chosen], exposed[chosen].sum(axis=1))
    whole = np.bincount(groups[chosen], carried[chosen].sum(axis=1))
    return np.asarray(on_shelf / np.maximum(whole, 1))
