"""What the next window will sell against the last one, as far as past windows tell.

Three things move it: the season; what is left of short momentum; and the return of a window that
was out of the ordinary to the usual level of the group. How much each counts is learnt from the
panel's own past, over all groups, starting from weights that suit retail and fashion series.
"""

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.trends.index import Index
from services.forecast.engine.trends.season import Season, season

PRIOR = np.array([1.0, 0.35, 0.1, 0.25])
"""Season, second over first half of the window, and half a year's and a year's level over it."""
RIDGE = 100.0  # Past growths that the prior is worth.
MOST_ORIGINS = 8
SPAN_YEARS = (0.5, 1.0)
ROUNDS = 3
MAD_TO_DEVIATION = 1.4826
FLOOR = 1e-3  # Of a group's mean: keeps the log of an empty window finite.


def outlook(
    index: Index, seasonal: Season, window: int, kin: Integers | None = None
) -> tuple[Floats, Floats]:
    """(groups,) each: expected log growth of the next window over the last, and its deviation.

    Args:
        index: demand of the groups.
        seasonal: as expected now, reaching one window past the index.
        window: steps in a window.
        kin: see `season`.
    """
    steps = index.demand.shape[1]
    learnt = [
        _past(index.until(stop), index.demand[:, stop : stop + window], kin)
        for stop in range(steps - window, 2 * window - 1, -window)[:MOST_ORIGINS]
    ]
    causes = np.concatenate([part for part, _ in learnt] or [np.zeros((0, PRIOR.size))])
    growth = np.concatenate([part for _, part in learnt] or [np.zeros(0)])
    weights, deviation = _learn(causes, growth)
    now = features(index, seasonal, window)
    return now @ weights, np.full(now.shape[0], deviation)


def features(index: Index, seasonal: Season, window: int) -> Floats:
    """(groups, 4). What may move the next window, in logs, at the end of ``index``."""
    demand, steps = index.demand, index.demand.shape[1]
    shape = seasonal.until(steps + window)
    adjusted = demand / shape[:, :steps]
    floor = FLOOR * np.nan_to_num(np.nanmean(np.pad(adjusted, ((0, 0), (0, 1))), axis=1)) + 1e-12

    def level(count: int) -> Floats:
        part = adjusted[:, max(steps - count, 0) :]
        seen = ~np.isnan(part)
        mean = np.nansum(part, axis=1) / np.maximum(seen.sum(axis=1), 1)
        found: Floats = np.log(mean + floor)
        return found

    last = level(window)
    ahead = np.log(shape[:, steps : steps + window].mean(axis=1))
    before = np.log(shape[:, max(steps - window, 0) : steps].mean(axis=1))
    spans = [level(round(span * index.year)) - last for span in SPAN_YEARS]
    return np.stack([ahead - before, level(max(window // 2, 1)) - last, *spans], axis=1)


def _past(index: Index, following: Floats, kin: Integers | None) -> tuple[Floats, Floats]:
    """Features at an earlier end of the index, and the growth that followed; known ones alone."""
    window = following.shape[1]
    last = index.demand[:, -window:]
    whole = ~(np.isnan(last).any(axis=1) | np.isnan(following).any(axis=1))
    before, after = last[whole].mean(axis=1), following[whole].mean(axis=1)
    sold = (before > 0) & (after > 0)
    found = features(index, season(index, window, kin), window)[whole][sold]
    return found, np.log(after[sold] / before[sold])


def _learn(causes: Floats, growth: Floats) -> tuple[Floats, float]:
    """Weights of the causes, and the deviation of growth from what they explain.

    Ridge regression towards the prior. Growths count less the further they are from the expected
    (Cauchy weights), because single launches and clearances tell little about the rest.
    """
    weights = PRIOR
    scale = np.diag(causes.var(axis=0) + 1e-4) if growth.size else np.eye(PRIOR.size)
    for _ in range(ROUNDS):
        residual = growth - causes @ weights
        spread = (
            max(float(np.median(np.abs(residual))) * MAD_TO_DEVIATION, 1e-3) if growth.size else 1.0
        )
        trust = 1 / (1 + (residual / (2 * spread)) ** 2)
        left = (causes * trust[:, np.newaxis]).T @ causes + RIDGE * scale
        right = (causes * trust[:, np.newaxis]).T @ (growth - causes @ PRIOR)
        weights = PRIOR + np.linalg.solve(left, right)
    return weights, spread
