"""The log-linear response of units to the design, shrunk from series to group to panel.

Weighted least squares of log(units + an offset) inside each series: every variable less its mean
over the series. A group counts as one series, the average of its own, for what moves one of them in
a period tends to move them all. Ridges are counted in periods: with as many periods as the ridge, a
coefficient lies halfway between what the series says and what its group says, and likewise between
group and panel, and between panel and no effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.promo.sums import by_code
from services.forecast.engine.promo.terms import Single

PANEL_RIDGE = 3.0  # Periods, towards no effect.
OFFSET = 0.1  # Of the series' mean: keeps zeros and near-zeros from ruling the fit.
COUNTED_SHARE = 0.5  # Of the recorded cells that are whole numbers: then units are counted.
LEAST_SPREAD = 1e-7  # Variance below which a regressor says nothing.


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the past of some series, of variables less their means."""

    gram: Single  # (series, regressors, regressors)
    cross: Single  # (series, regressors). With the response.
    weight: Floats  # (series,). Sum of the weights.
    periods: Floats  # (series,). Periods with a weight.


def response(units: Floats, exposure: Floats | None, first: Booleans) -> Floats:
    """(series, columns). Logarithm of units per full period, with an offset.

    The offset is a tenth of the mean of the periods so far, and one unit more where units are
    counted: a count of few is noise to that degree. ``first`` marks the recorded periods.
    """
    rate = units if exposure is None else units / np.where(exposure > 0, exposure, 1.0)
    rate = np.where(first, rate, 0.0)
    count = np.maximum(np.cumsum(first, axis=1), 1)
    mean = np.cumsum(rate, axis=1) / count
    # Mostly: demand that was missed on an empty shelf is put in as a mean, which is seldom whole.
    whole = np.cumsum(((units == np.round(units)) & first).sum(axis=0))
    counted = whole >= COUNTED_SHARE * np.maximum(np.cumsum(first.sum(axis=0)), 1)
    offset = OFFSET * mean + counted
    return np.log(np.where(offset > 0, rate + offset, 1.0))


def totals(x: Single, z: Floats, w: Floats, stops: Sequence[int]) -> list[Floats]:
    """Sums of products of 1, regressors and response until each of ``stops``, ascending.

    Each (series, 2 + regressors, 2 + regressors); the last row and column hold the response.
    """
    ones = np.ones((x.shape[0], 1, x.shape[2]), np.float32)
    every = np.concatenate((ones, x, z[:, np.newaxis].astype(np.float32)), axis=1)
    scaled = every * w[:, np.newaxis].astype(np.float32)
    found: list[Floats] = []
    start = 0
    for stop in stops:
        part = scaled[..., start:stop] @ every[..., start:stop].transpose(0, 2, 1)
        found.append(part.astype(np.float64) + (found[-1] if found else 0.0))
        start = stop
    return found


def centred(total: Floats, periods: Floats) -> Moments:
    weight = total[:, 0, 0].copy()  # Or it would keep all of them.
    sums = total[:, 0, 1:]
    means = sums / np.maximum(weight, 1e-12)[:, np.newaxis]
    inner = total[:, 1:, 1:] - means[:, :, np.newaxis] * sums[:, np.newaxis, :]
    single: Single = inner.astype(np.float32)  # The products were no better.
    return Moments(single[:, :-1, :-1], single[:, :-1, -1], weight, periods)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Mean moments of the panel, and of the groups of one static column, at one origin."""

    gram: Floats  # (regressors, regressors)
    cross: Floats  # (regressors,)
    groups: Floats  # (groups, regressors, regressors)
    crosses: Floats  # (groups, regressors)
    spread: Floats  # (regressors,). Weighted variance of each regressor inside series.
    share: float  # Weight of a period, on average over all.


class Pool:
    """Adds up `Moments`, block by block."""

    def __init__(self, width: int, codes: Integers | None) -> None:
        """``codes`` are the groups of all series, (series,)."""
        size = 0 if codes is None else int(codes.max()) + 1
        self.codes = codes
        self.gram = np.zeros((width, width))
        self.cross = np.zeros(width)
        self.groups = np.zeros((size, width, width))
        self.crosses = np.zeros((size, width))
        self.counts = np.zeros(size)
        self.weight = self.periods = self.series = 0.0

    def add(self, rows: Integers, moments: Moments) -> None:
        self.gram += moments.gram.sum(axis=0, dtype=np.float64)
        self.cross += moments.cross.sum(axis=0, dtype=np.float64)
        self.weight += float(moments.weight.sum())
        self.periods += float(moments.periods.sum())
        self.series += rows.size
        if self.codes is not None:
            codes = self.codes[rows]
            present, grams = by_code(moments.gram, codes)
            self.groups[present] += grams
            self.crosses[present] += by_code(moments.cross, codes)[1]
            self.counts += np.bincount(codes, minlength=self.counts.size)

    def pooled(self) -> Pooled:
        safe = np.maximum(self.counts, 1.0)
        count = max(self.series, 1.0)
        return Pooled(
            self.gram / count,
            self.cross / count,
            self.groups / safe[:, np.newaxis, np.newaxis],
            self.crosses / safe[:, np.newaxis],
            np.diag(self.gram) / max(self.weight, 1e-12),
            self.weight / max(self.periods, 1.0),
        )


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """How far series and groups may go their own ways. Ridges in periods; infinite: not at all."""

    alive: Booleans  # (regressors,). Which may act.
    own: Floats  # (regressors,)
    group: float


def shared_coefficients(pooled: Pooled, how: Shrinkage) -> tuple[Floats, Floats]:
    """Coefficients of the panel (regressors,) and of its groups (groups, regressors)."""
    ridge = pooled.spread * pooled.share
    alive = how.alive & (pooled.spread > LEAST_SPREAD)
    panel = _solved(pooled.gram, pooled.cross, PANEL_RIDGE * ridge, alive)
    if not len(pooled.groups) or not np.isfinite(how.group):
        return panel, np.repeat(panel[np.newaxis], max(len(pooled.groups), 1), axis=0)
    away = pooled.crosses - pooled.groups @ panel
    return panel, panel + _solved(pooled.groups, away, how.group * ridge, alive)


def own_coefficients(moments: Moments, prior: Floats, pooled: Pooled, how: Shrinkage) -> Floats:
    """(series, regressors), shrunk to ``prior``, of the same shape."""
    alive = how.alive & (pooled.spread > LEAST_SPREAD) & np.isfinite(how.own)
    if not alive.any():
        return prior
    away: Floats = moments.cross - (moments.gram @ prior[..., np.newaxis])[..., 0]
    return prior + _solved(moments.gram, away, how.own * pooled.spread * pooled.share, alive)


def _solved(gram: Floats | Single, cross: Floats, ridge: Floats, alive: Booleans) -> Floats:
    """Ridge solutions with the dead regressors left out, as zeros."""
    found = np.zeros(cross.shape)
    kept = np.flatnonzero(alive)
    if kept.size:
        full = gram if kept.size == alive.size else gram[..., kept[:, np.newaxis], kept]
        full = full + np.diag(ridge[kept])
        found[..., kept] = np.linalg.solve(full, cross[..., kept, np.newaxis])[..., 0]
    return found
