"""Quasi-likelihood of counts with a level and a drift in every span of time.

Newton's method on all coefficients at once. Levels and drifts, two numbers a span, are eliminated
from each step as in a regression on what they leave over, so that any number of spans costs little.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers

NOISE = 0.1  # Variance is mean + NOISE x mean^2: days differ by a third whatever the size.
DRIFT = 1.0  # Standard deviation of half the growth over a span, in logarithms.
GAIN = 0.2  # Standard deviation of gains around 1.
STEPS = 12
FIRST_STEPS = 4  # In which coefficients move by one at most.
SETTLED = 1e-3
GAIN_STEPS = 3
FARTHEST = 8.0  # Logarithm by which terms may move a mean.


@dataclass(frozen=True, slots=True)
class Spans:
    """Counts of groups of series, cut into spans. All (spans, columns of a span, ...)."""

    x: Floats  # (..., terms)
    units: Floats
    base: Floats  # What was usual, by what was on the shelf; 0 where nothing could be sold.
    group: Integers  # (spans,)
    groups: int

    @classmethod
    def of(cls, x: Floats, units: Floats, base: Floats, span: int) -> "Spans":
        """Cuts (groups, columns, ...) from the end; the first span may be incomplete."""
        count, length = units.shape
        cuts = -(-length // span)
        missing = cuts * span - length

        def cut(values: Floats) -> Floats:
            if missing:
                blank = np.zeros((count, missing, *values.shape[2:]))
                values = np.concatenate((blank, values), axis=1)
            return values.reshape(count * cuts, span, *values.shape[2:])

        x, units, base = cut(x), cut(units), cut(base)
        sold = units.sum(axis=1) > 0  # Others say nothing.
        group = np.repeat(np.arange(count), cuts)[sold]
        return cls(x[sold], units[sold], base[sold], group, count)


class _Levels:
    """Level and drift of each span, given what terms do."""

    def __init__(self, spans: Spans, logs: Floats) -> None:
        self.spans = spans
        columns = spans.units.shape[1]
        self.z = np.stack((np.ones(columns), np.linspace(-1.0, 1.0, columns)))
        self.prior = np.diag((1e-9, DRIFT**-2))
        offered = (spans.base * np.exp(logs)).sum(axis=1)
        level = np.log(spans.units.sum(axis=1) / np.maximum(offered, 1e-12))
        self.values = np.stack((level, np.zeros_like(level)), axis=1)

    def weigh(self, logs: Floats) -> tuple[Floats, Floats]:
        """Weight and relative error of each cell, (spans, columns)."""
        driven = (self.values @ self.z + logs).clip(-20.0, FARTHEST)
        mean = self.spans.base * np.exp(driven)
        error = (self.spans.units - mean) / np.maximum(mean, 1e-12)
        self.weight = mean / (1 + NOISE * mean)
        self.gram = (self.z * self.weight[:, np.newaxis]) @ self.z.T + self.prior
        pull = (self.weight * error) @ self.z.T - self.values @ self.prior
        self.pulled = np.linalg.solve(self.gram, pull[..., np.newaxis])[..., 0]
        return self.weight, error

    def move(self, given: Floats) -> None:
        """Moves on. ``given`` (spans, 2) is what the step of the terms takes over."""
        self.values += (self.pulled - given).clip(-2.0, 2.0)


def fit(spans: Spans, alive: Booleans, ridges: Floats) -> Floats:
    """(terms,). Coefficients; those of own terms that are not ``alive`` are 0.

    Args:
        spans: what to learn from.
        alive: (own terms,), which come first.
        ridges: (terms,). Inverse variances around 0.
    """
    kept = np.flatnonzero(np.concatenate((alive, np.ones(ridges.size - alive.size, np.bool_))))
    x, ridge = np.ascontiguousarray(spans.x[..., kept]), ridges[kept]
    found = np.zeros(kept.size)
    levels = _Levels(spans, np.zeros_like(spans.units))
    for number in range(STEPS):
        weight, error = levels.weigh(x @ found)
        scaled = x * weight[..., np.newaxis]
        across = levels.z @ scaled
        taken = np.linalg.solve(levels.gram, across)
        flat = scaled.reshape(-1, kept.size)
        gram = flat.T @ x.reshape(-1, kept.size) - np.tensordot(across, taken, ((0, 1), (0, 1)))
        pull = flat.T @ error.ravel() - np.tensordot(across, levels.pulled, ((0, 1), (0, 1)))
        step = np.linalg.solve(gram + np.diag(ridge), pull - ridge * found)
        longest = float(np.abs(step).max(initial=0.0))
        if number < FIRST_STEPS and longest > 1:
            step /= longest
        found += step
        levels.move(taken @ step)
        if longest < SETTLED:
            break
    whole = np.zeros(ridges.size)
    whole[kept] = found
    return whole


def gains(spans: Spans, coefficients: Floats, own: int) -> Floats:
    """(groups,). How strongly each answers to its ``own`` terms; as the panel does is 1."""
    answer = spans.x[..., :own] @ coefficients[:own]
    rest = spans.x[..., own:] @ coefficients[own:]
    found = np.ones(spans.groups)
    levels = _Levels(spans, answer + rest)
    for _ in range(GAIN_STEPS):
        weight, error = levels.weigh(found[spans.group, np.newaxis] * answer + rest)
        scaled = weight * answer
        across = scaled @ levels.z.T
        taken = np.linalg.solve(levels.gram, across[..., np.newaxis])[..., 0]
        gram = (scaled * answer).sum(axis=1) - (across * taken).sum(axis=1)
        pull = (scaled * error).sum(axis=1) - (across * levels.pulled).sum(axis=1)
        gram = np.bincount(spans.group, gram, spans.groups) + GAIN**-2
        pull = np.bincount(spans.group, pull, spans.groups) - (found - 1) * GAIN**-2
        step = (pull / gram).clip(-0.5, 0.5)
        found += step
        levels.move(taken * step[spans.group, np.newaxis])
    return np.maximum(found, 0.0)
