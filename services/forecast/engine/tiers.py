"""Runs the tiers that an effort is worth, each from several origins at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.boosted import (
    DIRECT,
    QUICK,
    STACKED,
    Luck,
    Recipe,
    Said,
    forecasts,
    lattice,
)
from services.forecast.engine.effort import Effort
from services.forecast.engine.panel import Panel
from services.forecast.engine.plain import PlainTier
from services.forecast.engine.promo import PromoFit, PromoTier

LESSONS = 16  # Past origins from which the boosted models learn, at most.
TEACHERS = 6_000  # Series of which the simple tier is asked there: enough, and bounds the cost.
RECIPES: Mapping[Effort, Sequence[Recipe]] = MappingProxyType(
    {
        Effort.LIGHT: (),
        Effort.MIDDLE: (QUICK,),
        Effort.FULL: (STACKED, DIRECT),
    }
)


@dataclass(frozen=True, slots=True)
class Runs:
    """Forecasts from each origin by tier, the simple one first; and the response at the last."""

    means: Mapping[str, Sequence[Floats]]  # Each (series, ahead).
    response: PromoFit


def run(panel: Panel, origins: Sequence[int], effort: Effort, luck: Luck) -> Runs:
    """Runs the tiers of ``effort`` from ``origins``, ascending, the last of which is now."""
    ahead = panel.ahead
    plain = PlainTier().run(panel, origins, ahead)
    fits = PromoTier().fits(panel, origins, ahead)
    means: dict[str, Sequence[Floats]] = {"plain": plain, "promo": [fit.mean for fit in fits]}
    grid = lattice(panel, LESSONS)
    if RECIPES[effort] and grid:
        simple = means["promo" if panel.known else "plain"]
        said = [
            Said(fit.origin, mean, fit.first, fit.log_multiplier)
            for fit, mean in zip(fits, simple, strict=True)
        ]
        means |= forecasts(panel, _taught(panel, grid, luck), said, RECIPES[effort], luck)
    return Runs(MappingProxyType(means), fits[-1])


def _taught(panel: Panel, grid: Sequence[int], luck: Luck) -> dict[int, Said]:
    """What the simple tier says from the origins of ``grid``, about some of the series."""
    rows = _teachers(panel.series, luck.seed)
    some = panel if rows.size == panel.series else panel.of(rows)
    fits = PromoTier().fits(some, grid, panel.ahead)
    means = [fit.mean for fit in fits] if panel.known else PlainTier().run(some, grid, panel.ahead)
    return {
        fit.origin: _spread(panel.series, rows, fit, mean)
        for fit, mean in zip(fits, means, strict=True)
    }


def _teachers(series: int, seed: int) -> Integers:
    if series <= TEACHERS:
        return np.arange(series)
    return np.sort(np.random.default_rng(seed).choice(series, TEACHERS, replace=False))


def _spread(series: int, rows: Integers, fit: PromoFit, mean: Floats) -> Said:
    """For all series what was said of ``rows``, NaN for the others; multipliers from now on."""
    recent = fit.log_multiplier[:, fit.origin - fit.first - 1 :]
    means = np.full((series, mean.shape[1]), np.nan)
    logs = np.zeros((series, recent.shape[1]), dtype=np.float32)
    means[rows], logs[rows] = mean, recent
    return Said(fit.origin, means, fit.origin - 1, logs)
