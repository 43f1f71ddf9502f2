"""Runs the tiers that an effort is worth, and weighs them by what they said of past origins."""

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
from services.forecast.engine.segments import Segments

JUDGES = 800  # Series on which the simple tier is tried, before it is asked of thousands.
LESSONS = 16  # Past origins from which the boosted models learn, at most.
INNER_SHARE = 0.5  # Of the rows: what models that only forecast past origins learn from.
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
    """What the tiers say, the simple one first, and how much each counts.

    Not run are: the simple one where it would not count, and for what is ahead boosted models that
    do not count in any segment.
    """

    past: Mapping[str, Sequence[Floats]]  # By tier, from each past origin, (series, ahead).
    now: Mapping[str, Floats]  # By tier, of those that were run, (series, ahead).
    weights: ensemble.Weights  # By segment.
    response: PromoFit

    def mixed(self, codes: Integers) -> list[Floats]:
        """The tiers' means by weight, (series, ahead), from each past origin and from now.

        ``codes`` are the series' segments.
        """
        shares = self.weights.of(codes)
        origins = [
            dict(zip(self.past, means, strict=True))
            for means in zip(*self.past.values(), strict=True)
        ]
        return [self._mix(means, shares) for means in (*origins, self.now)]

    def _mix(self, means: Mapping[str, Floats], shares: Floats) -> Floats:
        some = shares[:, [self.weights.tiers.index(name) for name in means]]
        return np.asarray(np.einsum("kij,ik->ij", np.stack(list(means.values())), some))


def run(
    panel: Panel,
    past: Sequence[int],
    kinds: Segments,
    effort: Effort,
    luck: Luck,
    simple_tier: PromoTier = PROMO,
) -> Runs:
    """Runs the tiers of ``effort`` from the origins ``past``, ascending, and from now."""
    origins = [*past, panel.periods]
    fits = simple_tier.fits(panel, origins, panel.ahead)
    promo = [fit.mean for fit in fits]
    if effort is Effort.LIGHT and _outdone(panel, origins, promo):
        weights = ensemble.equal(["promo"], len(kinds.names))
        return Runs({"promo": promo[:-1]}, {"promo": promo[-1]}, weights, fits[-1])
    plain = PlainTier().run(panel, origins, panel.ahead)
    # The simple tier knows no plan: it is moved by what the response says of it.
    planned = [mean * np.exp(fit.plan) for mean, fit in zip(plain, fits, strict=True)]
    means = {"plain": planned[:-1], "promo": promo[:-1]}
    now = {"plain": planned[-1], "promo": promo[-1]}
    simple = promo if panel.known else plain
    said = [
        Said(fit.origin, mean, fit.first, fit.log_multiplier)
        for fit, mean in zip(fits, simple, strict=True)
    ]
    grid = lattice(panel, LESSONS)
    # Without a past origin nothing shows that a boosted model is any better.
    recipes = RECIPES[effort] if past and grid else ()
    taught = _taught(panel, grid, luck, simple_tier) if recipes else {}
    means |= forecasts(panel, taught, said[:-1], recipes, luck, INNER_SHARE)
    weights = _weights(panel, past, kinds, means)
    counted = [recipe for recipe in recipes if weights.count(recipe.name)]
    found = forecasts(panel, taught, said[-1:], counted, luck)
    # One that finds too little to learn from by now says what the simple tier does.
    now |= {recipe.name: found.get(recipe.name, simple[-1:])[0] for recipe in counted}
    return Runs(means, now, weights, fits[-1])


def scales(panel: Panel, past: Sequence[int]) -> Floats:
    """(series,). What errors at the origins ``past`` are divided by; NaN where nothing is shown."""
    return rms_steps(panel.units[:, : past[-1]] if past else panel.units)


def _weights(
    panel: Panel, past: Sequence[int], kinds: Segments, means: Mapping[str, Sequence[Floats]]
) -> ensemble.Weights:
    held = {name: hold(panel, past, each) for name, each in means.items()}
    return ensemble.learn(held, scales(panel, past), kinds.codes, len(kinds.names))


def _outdone(panel: Panel, origins: Sequence[int], promo: Sequence[Floats]) -> bool:
    """Whether the simple tier, on some of many series, is so far behind that it would not count.

    Then it need not be asked of the others.
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
