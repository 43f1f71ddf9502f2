"""How much each tier counts in each segment, learnt from forecasts of past origins.

The weights of a segment are those that make the mean over its series of the scaled error
    rmsse_i = sqrt(mean over held-back periods of (sum_k w_k f_ik - y_i)^2) / scale_i
least, among weights that are not negative and add up to one. The square root makes it robust: no
series pulls harder than its scaled error's slope, however huge its sales. All series speak of the
same few periods, so those weights count for a half; the other half is by merit alone, which knows
nothing of how errors go together. What a segment says is drawn towards what the panel says, and
that towards equal weights, the more so the fewer series speak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.held import Held

ROUNDS = 30  # Of reweighted least squares; the objective is convex and settles in about ten.
PRIOR = 50.0  # Series whose voice the prior weights have.
TRUST = 0.5  # In the weights with the least error, beside those by merit.
MERIT = 16.0  # Power of a tier's error, by which merit falls.
FEW = 30  # Series; fewer cannot tell which tier loses to the simple one.
LOSES = 1.02  # A tier whose error is this many times the simple one's gets nothing.
FAR = 1.15  # Nor does one whose error is this many times the best one's.
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Weights:
    """What each tier counts for."""

    tiers: tuple[str, ...]
    shares: Floats  # (segments, tiers). Each row adds up to one.

    def of(self, codes: Integers) -> Floats:
        """(series, tiers). ``codes`` are the series' segments."""
        return self.shares[codes]

    def count(self, tier: str) -> bool:
        """Whether ``tier`` counts in any segment."""
        return tier in self.tiers and bool(self.shares[:, self.tiers.index(tier)].any())


def equal(tiers: Sequence[str], segments: int) -> Weights:
    return Weights(tuple(tiers), np.full((segments, len(tiers)), 1.0 / len(tiers)))


def learn(
    held: Mapping[str, Sequence[Held]], scales: Floats, codes: Integers, segments: int
) -> Weights:
    """Weights of the tiers of ``held``, the first of which is the simple one that others must beat.

    Args:
        held: per tier, its forecasts of the same past origins.
        scales: (series,). What errors are divided by; NaN where a series shows nothing.
        codes: (series,). The segment of each series.
        segments: how many there are.
    """
    names = tuple(held)
    moments = error_moments(list(held.values()), scales)
    voiced = np.isfinite(moments[:, 0, 0])
    if len(names) == 1 or not voiced.any():
        return equal(names, segments)
    moments, codes = moments[voiced], codes[voiced]
    everyone = np.ones(len(names), dtype=np.bool_)
    fair = np.full(len(names), 1.0 / len(names))
    panel = _drawn(_said(moments, everyone), fair, len(moments))
    shares = np.tile(_normalised(np.where(_kept(moments), panel, 0.0)), (segments, 1))
    for segment in np.unique(codes):
        own = moments[codes == segment]
        kept = _kept(own if len(own) >= FEW else moments)
        share = _drawn(_said(own, kept), panel, len(own))
        shares[segment] = _normalised(np.where(kept, share, 0.0))
    return Weights(names, shares)


def errors(held: Mapping[str, Sequence[Held]], scales: Floats) -> dict[str, float]:
    """RMSSE over the held-back periods by tier, the mean over the series that can be judged.

    Empty where none can.
    """
    if not next(iter(held.values())):
        return {}
    squares = np.diagonal(error_moments(list(held.values()), scales), axis1=1, axis2=2)
    judged = np.isfinite(squares[:, 0])
    if not judged.any():
        return {}
    means = np.sqrt(squares[judged]).mean(axis=0)
    return dict(zip(held, means.tolist(), strict=True))


def error_moments(held: Sequence[Sequence[Held]], scales: Floats) -> Floats:
    """(series, tiers, tiers). Mean products of the tiers' scaled errors; NaN where none is known.

    Since weights add up to one, the weighted forecast's mean squared scaled error is w' M w.
    """
    total = np.zeros((scales.size, len(held), len(held)))
    count = np.zeros(scales.size)
    for at_origin in zip(*held, strict=True):
        known = ~np.isnan(at_origin[0].actual)
        errors = np.stack(
            [np.where(known, one.mean - one.actual, 0.0) for one in at_origin], axis=1
        )
        errors /= scales[:, np.newaxis, np.newaxis]
        total += errors @ errors.transpose(0, 2, 1)
        count += known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (
            np.asarray(np.where(count > 0, 1.0, np.nan)[:, None, None] * total)
            / np.maximum(count, 1)[:, None, None]
        )


def _kept(moments: Floats) -> Booleans:
    """(tiers,). Which tiers neither lose to the first nor lie far behind the best.

    The errors of one far behind may seem to cancel those of others: over so few periods, by chance.
    """
    errors = _errors(moments)
    return np.asarray(errors <= np.minimum(LOSES * errors[0], FAR * errors.min()))


def _said(moments: Floats, kept: Booleans) -> Floats:
    """(tiers,). The weights that some series speak for, of the ``kept`` tiers.

    Where merit would make the mixture lose to the simple tier, the fitted weights stand alone.
    """
    errors = np.maximum(_errors(moments), TINY)
    merit = _normalised(np.where(kept, (errors.min() / errors) ** MERIT, 0.0))
    fit = _fit(moments, kept)
    mixed: Floats = TRUST * fit + (1.0 - TRUST) * merit
    simple = np.eye(kept.size)[0]
    return mixed if _error(moments, mixed) < _error(moments, simple) else fit


def _error(moments: Floats, weights: Floats) -> float:
    """The mean over series of the weighted forecast's root mean squared scaled error."""
    return float(np.sqrt(np.einsum("ijk,j,k->i", moments, weights, weights)).mean())


def _errors(moments: Floats) -> Floats:
    """(tiers,). Each tier's mean error."""
    return np.asarray(np.sqrt(np.diagonal(moments, axis1=1, axis2=2)).mean(axis=0))


def _fit(moments: Floats, kept: Booleans) -> Floats:
    """(tiers,). The weights with the least mean error, by iteratively reweighted least squares."""
    weights: Floats = kept / kept.sum()
    for _ in range(ROUNDS):
        errors = np.sqrt(np.einsum("ijk,j,k->i", moments, weights, weights))
        pooled = np.einsum("ijk,i->jk", moments, 1.0 / np.maximum(errors, TINY))
        weights = _least_squares(pooled, kept)
    return weights


def _least_squares(pooled: Floats, kept: Booleans) -> Floats:
    """(tiers,). Minimises w' pooled w over the simplex of the ``kept`` tiers: an active set."""
    active = kept.copy()
    ridge = TINY + 1e-6 * float(np.trace(pooled))
    while True:
        chosen = np.flatnonzero(active)
        block = pooled[np.ix_(chosen, chosen)] + ridge * np.eye(chosen.size)
        solution = np.linalg.solve(block, np.ones(chosen.size))
        solution /= solution.sum()
        if solution.min() >= 0:
            break
        active[chosen[solution.argmin()]] = False
    weights = np.zeros(kept.size)
    weights[chosen] = solution
    return weights


def _drawn(fit: Floats, prior: Floats, count: int) -> Floats:
    return np.asarray((count * fit + PRIOR * prior) / (count + PRIOR))


def _normalised(weights: Floats) -> Floats:
    total = weights.sum()
    normalised: Floats = weights / total
    return normalised
