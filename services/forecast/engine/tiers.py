"""Runs the tiers that an effort is worth, each from several origins at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from services.forecast.engine import ensemble
from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.boosted import (
    QUICK,
    RECURSIVE,
    STACKED,
    Luck,
    Recipe,
    Said,
    forecasts,
    lattice,
)
from services.forecast.engine.effort import Effort
from services.forecast.engine.held import hold
from services.forecast.engine.panel import Panel
from services.forecast.engine.plain import PlainTier
from services.forecast.engine.promo import PromoFit, PromoTier
from services.forecast.engine.scales import rms_steps

JUDGES = 800  # Series on which the simple tier is tried, before it is asked of thousands.
LESSONS = 16  # Past origins from which the boosted models learn, at most.
TEACHERS = 6_000  # Series of which the simple tier is asked there: enough, and bounds the cost.
PROMO = PromoTier()
RECIPES: Mapping[Effort, Sequence[Recipe]] = MappingProxyType(
    {
        Effort.LIGHT: (),
        Effort.MIDDLE: (QUICK,),
        Effort.FULL: (STACKED, RECURSIVE),
    }
)


@dataclass(frozen=True, slots=True)
class Runs:
    """Forecasts from each origin by tier, the simple one first; and the response at the last.

    The simple one is left out where it would not count.
    """

    means: Mapping[str, Sequence[Floats]]  # Each (series, ahead).
    response: PromoFit


def run(
    panel: Panel,
    origins: Sequence[int],
    effort: Effort,
    luck: Luck,
    simple_tier: PromoTier = PROMO,
) -> Runs:
    """Runs the tiers of ``effort`` from ``origins``, ascending, the last of which is now."""
    ahead = panel.ahead
    fits = simple_tier.fits(panel, origins, ahead)
    promo = [fit.mean for fit in fits]
    if effort is Effort.LIGHT and _outdone(panel, origins, promo):
        return Runs(MappingProxyType({"promo": promo}), fits[-1])
    plain = PlainTier().run(panel, origins, ahead)
    means: dict[str, Sequence[Floats]] = {"plain": plain, "promo": promo}
    grid = lattice(panel, LESSONS)
    if RECIPES[effort] and grid:
        simple = means["promo" if panel.known else "plain"]
        said = [
            Said(fit.origin, mean, fit.first, fit.log_multiplier)
            for fit, mean in zip(fits, simple, strict=True)
        ]
        means |= forecasts(
            panel, _taught(panel, grid, luck, simple_tier), said, RECIPES[effort], luck
        )
    return Runs(MappingProxyType(means), fits[-1])


def _outdone(panel: Panel, origins: Sequence[int], promo: Sequence[Floats]) -> bool:
    """Whether the simple tier, on some of many series, is so far behind that it would not count.

    Then it need not be asked of the others: it is a third of the light effort's cost.
    """
    past = origins[:-1]
    if not (panel.known and past) or panel.series <= 2 * JUDGES:
        return False
    rows = np.arange(0, panel.series, panel.series // JUDGES)
    some = panel.of(rows)
    held = {
        "plain": hold(some, past, PlainTier().run(some, past, panel.ahead)),
        "promo": hold(some, past, [mean[rows] for mean in promo[:-1]]),
    }
    errors = ensemble.errors(held, rms_steps(some.units[:, : past[-1]]))
    return bool(errors) and errors["plain"] > ensemble.FAR * errors["promo"]


def _taught(
    panel: Panel, grid: Sequence[int], luck: Luck, simple_tier: PromoTier
) -> dict[int, Said]:
    """What the simple tier says from the origins of ``grid``, about some of the series."""
    rows = _teachers(panel.series, luck.seed)
    some = panel if rows.size == panel.series else panel.of(rows)
    fits = simple_tier.fits(some, grid, panel.ahead)
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
