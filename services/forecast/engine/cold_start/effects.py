"""Additive effects on log rates, shrunk by empirical Bayes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers

ROUNDS = 20
LEAST_VARIANCE = 1e-4
FIRST_VARIANCE = 0.25
MOST_STEP = 3.0
"""In logs: the furthest that one working residual may pull."""


@dataclass(frozen=True, slots=True)
class Effects:
    """A Poisson-like log-linear mixed model, fitted to the total units of each series."""

    intercept: float
    effects: tuple[Floats, ...]  # One array a term, by code; 0 where a code was never seen.
    between: float  # Variance between series of the log rate that no term explains.
    spread: float  # Variance over mean of the units of one series.

    def log_rate(self, terms: Sequence[Integers]) -> Floats:
        """(rows,). Expected log rate; -1 or an unseen code of a term adds nothing."""
        rows = terms[0].size if terms else 0
        found = np.full(rows, self.intercept)
        for codes, effect in zip(terms, self.effects, strict=True):
            seen = (codes >= 0) & (codes < effect.size)
            found += np.where(seen, effect[np.where(seen, codes, 0)], 0.0)
        return found


def fit_effects(
    units: Floats, exposure: Floats, terms: Sequence[Integers], spread: float
) -> Effects:
    """Fits effects by penalised quasi-likelihood (Breslow and Clayton 1993), backfitting terms.

    A series counts with 1 / (between + spread / its expected units): a hundred weeks of one series
    say more about it, but little more about its colour. After convergence the intercept is set so
    that fitted and actual units add up to the same total, which takes out the bias of logs.

    Args:
        units: (series,). Totals.
        exposure: (series,). Positive where the series is to count.
        terms: (series,) each. Codes from 0, or -1 for none.
        spread: variance over mean of the totals, around the rate of their own series.
    """
    counted = exposure > 0
    y, log_exposure = units[counted], np.log(exposure[counted])
    codes = [term[counted] for term in terms]
    sizes = [int(term.max(initial=-1)) + 1 for term in terms]
    effects = [np.zeros(size) for size in sizes]
    variances = [FIRST_VARIANCE] * len(terms)
    between = FIRST_VARIANCE
    level = float(np.log(max(y.sum(), 0.5) / max(exposure[counted].sum(), 1e-12)))
    if not y.size:
        return Effects(level, tuple(effects), between, spread)
    for _ in range(ROUNDS):
        fitted = level + _total(effects, codes, y.size)
        mean = np.exp(np.minimum(fitted + log_exposure, 50.0))
        noise = spread / np.maximum(mean, 1e-12)
        weight = 1 / (between + noise)
        # The working residual of a zero is -1, however low; far outliers are held back.
        residual = np.minimum((y - mean) / np.maximum(mean, 1e-12), MOST_STEP)
        step = float(np.average(residual, weights=weight))
        level += step
        residual = residual - step
        for number, code in enumerate(codes):
            change, variances[number] = _term(
                residual, weight, code, effects[number], variances[number]
            )
            residual = (
                residual - np.where(code >= 0, change[np.maximum(code, 0)], 0.0)
                if change.size
                else residual
            )
            effects[number] = effects[number] + change
        between = max(float(np.average(residual**2 - noise, weights=weight**2)), LEAST_VARIANCE)
    fitted = level + _total(effects, codes, y.size)
    total = np.exp(np.minimum(fitted + log_exposure, 50.0)).sum()
    level += float(np.log(max(y.sum(), 0.5) / max(total, 1e-12)))
    return Effects(level, tuple(effects), between, spread)


def _term(
    residual: Floats, weight: Floats, codes: Integers, effect: Floats, variance: float
) -> tuple[Floats, float]:
    """The change of one term's effects, and the variance that the new ones have."""
    seen = codes >= 0
    if not effect.size or not seen.any():
        return np.zeros_like(effect), variance
    information = np.bincount(codes[seen], weight[seen], effect.size)
    pull = np.bincount(codes[seen], (weight * residual)[seen], effect.size)
    new = (pull + information * effect) / (information + 1 / variance)
    used = information > 0
    spread = new**2 + 1 / (information + 1 / variance)
    return new - effect, max(float(spread[used].mean()), LEAST_VARIANCE)


def _total(effects: Sequence[Floats], codes: Sequence[Integers], rows: int) -> Floats:
    total = np.zeros(rows)
    for effect, code in zip(effects, codes, strict=True):
        if effect.size:
            total += np.where(code >= 0, effect[np.maximum(code, 0)], 0.0)
    return total
