"""Trends of choices, against the life and the fashion that moved them."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from benchmarks.season.world import World, world
from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.trends import State, Trends, find_trends

WINDOW_DAYS = 56
STYLES = 40
LEAST_UNITS = 20  # In the last two windows, to be judged.
GREW = 0.1  # In logs: true growth from which a choice truly rises, or fades.
YOUNG_DAYS = 91
TOP = 10


@dataclass(frozen=True)
class Seen:
    """One seed. Arrays of shape (choices,), of the choices that are judged."""

    found: Trends
    judged: Booleans
    growth: Floats  # True growth net of season and promotions, last window over the one before.
    ahead: Floats  # True growth of the next window over the last, with the season.
    raw: Floats  # Log of units of the last 4 over the last 13 weeks, as on most dashboards.
    state: Integers  # True states.


def measure(seed: int, weeks: int) -> Seen:
    made = world(seed, weeks, styles=STYLES)
    origin = made.days - WINDOW_DAYS
    choice = made.panel.static["choice"]
    kin = np.zeros(len(made.season.catalog.choices), dtype=np.int64)
    kin[choice] = made.panel.static["category"]
    found = find_trends(made.uncensored().until(origin, 0), choice, kin)
    now, before = (_growth(made, origin - shift) for shift in (0, WINDOW_DAYS))
    units = found.index.units
    recent = units[:, -4:].mean(axis=1), units[:, -13:].mean(axis=1)
    judged = np.isfinite(now) & (units[:, -16:].sum(axis=1) >= LEAST_UNITS)
    return Seen(
        found=found,
        judged=judged,
        growth=now,
        ahead=_ahead(made, origin),
        raw=np.log((recent[0] + 0.1) / (recent[1] + 0.1)),
        state=_states(made, now, before, origin),
    )


def _mean(values: Floats) -> Floats:
    """(choices,). Over the days on sale; NaN if there are none."""
    days = (values > 0).sum(axis=1)
    return np.where(days > 0, values.sum(axis=1) / np.maximum(days, 1), np.nan)


def _growth(made: World, stop: int) -> Floats:
    middle, start = stop - WINDOW_DAYS, max(stop - 2 * WINDOW_DAYS, 0)
    last, before = _mean(made.taste[:, middle:stop]), _mean(made.taste[:, start:middle])
    return np.log(last) - np.log(before)


def _ahead(made: World, origin: int) -> Floats:
    """Season and taste, without promotions, which nobody told."""
    choice = made.panel.static["choice"]
    uplift = made.season.plan.uplift.T[made.season.plan.style_of_series]
    usual = made.expected / uplift
    count = int(choice.max()) + 1
    last = np.bincount(choice, usual[:, origin - WINDOW_DAYS : origin].sum(axis=1), count)
    following = np.bincount(choice, usual[:, origin:].sum(axis=1), count)
    sold = (last > 0) & (following > 0)
    return np.where(sold, np.log(np.where(sold, following, 1) / np.where(sold, last, 1)), np.nan)


def _states(made: World, now: Floats, before: Floats, origin: int) -> Integers:
    age = origin - (made.taste > 0).argmax(axis=1)
    truth = np.full(now.size, State.STEADY, dtype=np.int64)
    truth[(before > GREW) & (np.abs(now) <= GREW)] = State.PEAKING
    truth[now < -GREW] = State.FADING
    truth[now > GREW] = np.where(age < YOUNG_DAYS, State.EMERGING, State.RISING)[now > GREW]
    return truth


def figures(seen: list[Seen]) -> dict[str, float]:
    """Means over seeds; rates over all choices of all seeds."""
    rank = [_ranks(one) for one in seen]
    truth = np.concatenate([one.state[one.judged] for one in seen])
    said = np.concatenate([one.found.state[one.judged] for one in seen])
    ups, downs = (State.EMERGING, State.RISING), (State.FADING,)
    found = dict(zip(rank[0], np.mean([list(one.values()) for one in rank], axis=0), strict=True))
    for name, kind in (("up", ups), ("down", downs)):
        true, told = np.isin(truth, kind), np.isin(said, kind)
        found[f"{name}_precision"] = (true & told).sum() / max(told.sum(), 1)
        found[f"{name}_recall"] = (true & told).sum() / max(true.sum(), 1)
    return found


def _ranks(one: Seen) -> dict[str, float]:
    known = one.judged
    future = known & np.isfinite(one.ahead)
    momentum = one.found.momentum.shrunk
    order = one.found.order[known[one.found.order]][:TOP]
    raw = np.flatnonzero(known)[np.argsort(-one.raw[known], kind="stable")][:TOP]
    inside = np.abs(momentum - one.growth) <= 1.2816 * one.found.momentum.deviation
    return {
        "momentum_ic": _ic(momentum[known], one.growth[known]),
        "raw_ic": _ic(one.raw[known], one.growth[known]),
        "outlook_ic": _ic(one.found.outlook[future], one.ahead[future]),
        "raw_outlook_ic": _ic(one.raw[future], one.ahead[future]),
        "top10_rising": float((one.growth[order] > GREW).mean()),
        "raw_top10_rising": float((one.growth[raw] > GREW).mean()),
        "coverage_80": float(inside[known].mean()),
    }


def _ic(signal: Floats, truth: Floats) -> float:
    return float(spearmanr(signal, truth).statistic)


def confusion(seen: list[Seen]) -> Integers:
    """(true state, found state). Choices of all seeds."""
    table = np.zeros((len(State), len(State)), dtype=np.int64)
    for one in seen:
        np.add.at(table, (one.state[one.judged], one.found.state[one.judged]), 1)
    return table
