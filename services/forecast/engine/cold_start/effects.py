"""Additive effects on log rates, shrunk by empirical Bayes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.cold_start.scatter import Scatter

ROUNDS, ALONE = 24, 12
LEAST_VARIANCE = 1e-4
LEAST_BETWEEN = 0.01
FIRST_VARIANCE = 0.25
MOST_LOG = 50.0
MOST_STEP = 3.0
"""In logs: the furthest that one working residual may pull."""


@dataclass(frozen=True, slots=True)
class Effects:
    """A Poisson-like log-linear mixed model, fitted to the total units of each series."""

    intercept: float
    effects: tuple[Floats, ...]  # One array a term, by code.
    unsure: tuple[Floats, ...]  # Their posterior variances.
    variances: tuple[float, ...]  # Of each term's effects over its codes.
    between: float  # Variance between series of the log rate that no term explains.
    scatter: Scatter

    def log_rate(self, terms: Sequence[Integers], rows: int) -> Floats:
        """(rows,). Log of the expected rate; -1 or an unseen code of a term is any code.

        An effect with variance v multiplies the rate by exp(v / 2) on average.
        """
        found = np.full(rows, self.intercept)
        parts = zip(terms, self.effects, self.unsure, self.variances, strict=True)
        for codes, effect, unsure, variance in parts:
            seen = (codes >= 0) & (codes < effect.size)
            safe = np.where(seen, codes, 0)
            known = effect[safe] + unsure[safe] / 2 if effect.size else 0.0
            found += np.where(seen, known, variance / 2)
        return found

    def variance(self, terms: Sequence[Integers], rows: int) -> Floats:
        """(rows,). Of true rates around expected ones, in squares of the expected rate."""
        found = np.full(rows, self.between)
        for codes, unsure, variance in zip(terms, self.unsure, self.variances, strict=True):
            seen = (codes >= 0) & (codes < unsure.size)
            found += (
                np.where(seen, unsure[np.where(seen, codes, 0)], variance) if unsure.size else 0
            )
        return found


def fit_effects(
    units: Floats, exposure: Floats, terms: Sequence[Integers], singles: int, scatter: Scatter
) -> Effects:
    """Fits effects by penalised quasi-likelihood (Breslow and Clayton 1993), backfitting terms.

    A series counts with 1 / (between + pooled scatter / its expected units): a hundred weeks of one
    series say more about it, but little more about its colour, and what sells much says most. After
    convergence the intercept is set so that fitted and actual units add up to the same total, which
    takes out the bias of logs.

    Args:
        units: (series,). Totals.
        exposure: (series,). Positive where the series is to count.
        terms: (series,) each. Codes from 0, or -1 for none.
        singles: how many of the terms, the first ones, are no interactions.
        scatter: of the units of one period around the rate of their series.
    """
    counted = exposure > 0
    y, log_exposure = units[counted], np.log(exposure[counted])
    parts = [_Term(term[counted], int(term.max(initial=-1)) + 1) for term in terms]
    between = FIRST_VARIANCE
    level = float(np.log(max(y.sum(), 0.5) / max(exposure[counted].sum(), 1e-12)))
    # Interactions join late, for what single effects leave: those are slow to win it back.
    for turn in range(ROUNDS if y.size else 0):
        log = level + log_exposure + sum(part.fitted for part in parts)
        mean = np.exp(np.minimum(log, MOST_LOG))
        noise = scatter.pooled / np.maximum(mean, 1e-12)
        weight = 1 / (between + noise)
        # The working residual of a zero is -1, however low; far outliers are held back.
        residual = np.minimum((y - mean) / np.maximum(mean, 1e-12), MOST_STEP)
        step = float(np.average(residual, weights=weight))
        level += step
        residual -= step
        for part in parts[:singles] if turn < ALONE else parts:
            residual -= part.move(residual, weight)
        between = max(float(np.average(residual**2 - noise, weights=weight**2)), LEAST_VARIANCE)
    found = Effects(
        level,
        tuple(part.effect for part in parts),
        tuple(part.unsure for part in parts),
        tuple(part.variance for part in parts),
        between,
        scatter,
    )
    if not y.size:
        return found
    mean = np.exp(np.minimum(found.log_rate([term[counted] for term in terms], y.size), MOST_LOG))
    total = (mean * exposure[counted]).sum()
    gap = float(np.log(max(y.sum(), 0.5) / max(total, 1e-12)))
    mean *= np.exp(gap)
    return replace(
        found, intercept=level + gap, between=_between(y, exposure[counted], mean, scatter)
    )


def _between(units: Floats, exposure: Floats, mean: Floats, scatter: Scatter) -> float:
    """Relative variance of true rates around expected ones: what scatter does not explain."""
    noise = scatter.spread(mean) * mean / exposure
    gap = (units / exposure - mean) ** 2 - noise
    # Each gap scatters with the square of what is expected of it.
    weight = 1 / (noise + FIRST_VARIANCE * mean**2) ** 2
    return max(float((weight * mean**2 * gap).sum() / (weight * mean**4).sum()), LEAST_BETWEEN)


class _Term:
    """One term while it is fitted."""

    def __init__(self, codes: Integers, size: int) -> None:
        self._seen = codes >= 0
        self._codes = codes[self._seen]
        self._rows = codes.size
        self.effect = np.zeros(size)
        self.variance = FIRST_VARIANCE
        self.unsure = np.full(size, FIRST_VARIANCE)

    @property
    def fitted(self) -> Floats:
        return self._spread_out(self.effect)

    def move(self, residual: Floats, weight: Floats) -> Floats:
        """Takes up what the residual (series,) says about the term; returns the change in it."""
        if not self._codes.size:
            return np.zeros(self._rows)
        size = self.effect.size
        information = np.bincount(self._codes, weight[self._seen], size)
        pull = np.bincount(self._codes, (weight * residual)[self._seen], size)
        before = self.effect
        self.effect = (pull + information * before) / (information + 1 / self.variance)
        self.unsure = 1 / (information + 1 / self.variance)
        used = information > 0
        spread = float((self.effect**2 + self.unsure)[used].mean())
        self.variance = max(spread, LEAST_VARIANCE)
        return self._spread_out(self.effect - before)

    def _spread_out(self, values: Floats) -> Floats:
        found = np.zeros(self._rows)
        found[self._seen] = values[self._codes]
        return found
