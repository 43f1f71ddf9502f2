"""Simulated futures that hang together over time and between series as past errors did.

Each period of a path has the calibrated distribution of its forecast.

Quantiles cannot be added: ten weeks do not all meet their P90 at once. Totals over a lead time or a
season, and those of a store or a category, are therefore summed path by path.

A Gaussian copula (Sklar 1959; Li 2000) joins the periods. Its correlations come from the normal
scores of the errors of past origins: over the periods of a horizon as one matrix for all series,
and between series as shares of variance that those of a store, a product or the whole panel have in
common.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize, special

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.held import Held
from services.forecast.engine.intervals import Calibration, calibrate
from services.forecast.engine.panel import Panel

REACH, STEP = 3.25, 0.125
LEVELS = special.ndtr(np.arange(-REACH, REACH + STEP / 2, STEP))
"""Levels between which paths are interpolated: evenly spaced normal scores, 0.0006 to 0.9994."""
DRAWS = 200
CHUNK_VALUES = 4_000_000  # Of paths held at a time: 32 MB.
TIME_PRIOR = 0.2  # Correlation of periods of a horizon where no errors are at hand.
TIME_PRIOR_ROWS = 30.0
MOST_COMMON = 0.9  # Of variance: what series may share at most.
LEAST_MEMBERS = 2.0  # Series in a group, on average, for it to have anything in common.
EVERYTHING = "*"
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Dependence:
    """How errors hang together."""

    over_time: Floats  # (ahead, ahead). Correlations of normal scores.
    common: Mapping[str, float]  # Share of variance by static attribute; EVERYTHING is all series.


def dependence(panel: Panel, helds: Sequence[Held], calibration: Calibration) -> Dependence:
    """Learns from past origins how errors hang together. Any number of them, none included.

    Each origin is looked at with what the others tell: in what it has told itself, the luck that
    its series shared is hidden.
    """
    scores = []
    for at, held in enumerate(helds):
        others = [*helds[:at], *helds[at + 1 :]]
        told = calibrate(panel, others) if others else calibration
        scores.append(_scores(panel, held, told))
    ahead = max([panel.ahead, *(each.shape[1] for each in scores)])
    wide = [_widened(each, ahead) for each in scores]
    return Dependence(_over_time(wide, ahead), _common(panel, wide))


def _scores(panel: Panel, held: Held, calibration: Calibration) -> Floats:
    """Normal scores of what happened, (series, ahead); ties in the middle."""
    before = panel.until(held.origin, held.mean.shape[1])
    place = calibration.probabilities(before, held.mean, held.actual)
    middle = np.clip(HALF * (place.before + place.until), 0.002, 0.998)
    scores: Floats = special.ndtri(middle)
    return np.where(held.mean > 0, scores, np.nan)


def _widened(scores: Floats, ahead: int) -> Floats:
    return np.pad(scores, ((0, 0), (0, ahead - scores.shape[1])), constant_values=np.nan)


def _over_time(scores: Sequence[Floats], ahead: int) -> Floats:
    """Pooled correlation of periods of a horizon, shrunk to a constant; positive definite."""
    prior = np.where(np.eye(ahead) > 0, 1.0, TIME_PRIOR)
    rows = np.concatenate([*scores, np.zeros((0, ahead))])
    seen = ~np.isnan(rows)
    filled = np.where(seen, rows, 0.0)
    pairs = seen.T.astype(np.float64) @ seen
    products = filled.T @ filled
    size = np.sqrt(np.maximum(((filled**2).T @ seen) * ((filled**2).T @ seen).T, 1e-12))
    found = np.clip(products / size, -1.0, 1.0)
    mixed = (TIME_PRIOR_ROWS * prior + pairs * found) / (TIME_PRIOR_ROWS + pairs)
    np.fill_diagonal(mixed, 1.0)
    values, vectors = np.linalg.eigh(mixed)
    fixed = (vectors * np.maximum(values, 1e-4)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    return np.asarray(fixed / np.outer(scale, scale))


def groupings(panel: Panel) -> dict[str, Integers]:
    """Codes, (series,), of what series may have something in common by: all, and attributes."""
    found = {EVERYTHING: np.zeros(panel.series, dtype=np.int64)}
    for name, codes in panel.static.items():
        members = panel.series / max(int(codes.max(initial=0)) + 1, 1)
        if members >= LEAST_MEMBERS:
            found[name] = codes
    return found


def _common(panel: Panel, scores: Sequence[Floats]) -> dict[str, float]:
    """Shares of variance by least squares on the products of pairs of series of one group.

    A pair of one store and one product shares what its store has, its product has and all have.
    """
    names, kinds = list(groupings(panel)), list(groupings(panel).values())
    if not scores or panel.series < LEAST_MEMBERS:
        return dict.fromkeys(names, 0.0)
    joined = [[_joined(codes, more) for more in kinds] for codes in kinds]
    matrix, products = np.zeros((len(names), len(names))), np.zeros(len(names))
    for column in np.concatenate(scores, axis=1).T:
        kept = ~np.isnan(column)
        values = np.where(kept, column, 0.0)
        values /= max(float(np.sqrt((values**2).sum() / max(kept.sum(), 1))), 1e-9)
        products += [_pairs(codes, values) for codes in kinds]
        matrix += [[_pairs(both, kept.astype(np.float64)) for both in row] for row in joined]
    weight = np.sqrt(np.maximum(np.diag(matrix), 1.0))
    shares, _ = optimize.nnls(matrix / weight[:, np.newaxis], products / weight)
    shares = shares * min(1.0, MOST_COMMON / max(float(shares.sum()), 1e-9))
    return dict(zip(names, shares.tolist(), strict=True))


def _joined(codes: Integers, more: Integers) -> Integers:
    """Codes from 0 of the combinations of two codes."""
    _, dense = np.unique(codes * (int(more.max(initial=0)) + 1) + more, return_inverse=True)
    return np.asarray(dense, dtype=np.int64)


def _pairs(codes: Integers, values: Floats) -> float:
    """Sum over all pairs of different series of one code of the products of their values."""
    return float((np.bincount(codes, values) ** 2).sum() - (values**2).sum())


@dataclass(frozen=True, slots=True)
class Simulation:
    """Paths of one forecast. The same seed gives the same paths, whatever is asked of them.

    Parts of a larger whole may be simulated one by one and their paths added up: what all have in
    common is drawn alike in each part, so is what a group with a key has, all else for each apart.
    """

    panel: Panel
    mean: Floats  # (series, ahead).
    calibration: Calibration
    dependence: Dependence
    draws: int = DRAWS
    seed: int = 0
    part: int = 0  # Of the whole, if there are several.
    keys: Mapping[str, Integers] = field(default_factory=dict)
    """By attribute: for each code a number that means the same group in every part."""

    def chunks(self) -> Iterator[tuple[slice, Floats]]:
        """Rows of series and their paths, (draws, rows, ahead), a bounded number at a time."""
        ahead = self.mean.shape[1]
        step = max(1, CHUNK_VALUES // (max(self.draws, LEVELS.size) * ahead))
        kinds = groupings(self.panel)
        factors = {
            name: self._factors(name, at, codes)
            for at, (name, codes) in enumerate(kinds.items())
            if self.dependence.common.get(name, 0.0) > 0
        }
        own = np.random.default_rng([self.seed, len(kinds), self.part])
        left = np.sqrt(max(1.0 - sum(self.dependence.common.values()), 0.0))
        for start in range(0, self.panel.series, step):
            rows = slice(start, min(start + step, self.panel.series))
            count = rows.stop - rows.start
            score = left * own.standard_normal((self.draws, count, ahead))
            for name, codes in kinds.items():
                share = np.sqrt(self.dependence.common.get(name, 0.0))
                if share > 0:
                    score += share * factors[name][:, codes[rows]]
            yield rows, self._paths(rows, score)

    def _factors(self, name: str, at: int, codes: Integers) -> Floats:
        """(draws, groups, ahead). What the series of a group have in common."""
        groups, ahead = int(codes.max(initial=0)) + 1, self.mean.shape[1]
        if name in self.keys:
            keys = self.keys[name][:groups].tolist()
            alike = [np.random.default_rng([self.seed, 0, 0, key]) for key in keys]
            return np.stack([each.standard_normal((self.draws, ahead)) for each in alike], axis=1)
        part = 0 if name == EVERYTHING else self.part
        drawn = np.random.default_rng([self.seed, at, part])
        return drawn.standard_normal((self.draws, groups, ahead))

    def _paths(self, rows: slice, score: Floats) -> Floats:
        """Units of the paths whose independent normal scores are ``score``."""
        ahead = self.mean.shape[1]
        root = np.linalg.cholesky(self.dependence.over_time[:ahead, :ahead])
        part = self.panel.of(np.arange(rows.start, rows.stop))
        table = self.calibration.of(rows).whole(part, self.mean[rows], LEVELS.tolist())
        place = np.clip((score @ root.T + REACH) / STEP, 0.0, LEVELS.size - 1 - 1e-9)
        at = place.astype(np.int64)
        share = place - at
        forecasts = np.arange(part.series * ahead).reshape(part.series, ahead)
        flat, index = table.ravel(), at * forecasts.size + forecasts
        paths = flat[index] * (1 - share) + flat[index + forecasts.size] * share
        return np.round(paths) if self.calibration.counted else paths

    def totals(self, levels: Sequence[float], periods: int | None = None) -> Floats:
        """Quantiles of each series' total over its first ``periods``, (levels, series)."""
        stop = self.mean.shape[1] if periods is None else periods
        found = np.zeros((len(levels), self.panel.series))
        for rows, paths in self.chunks():
            found[:, rows] = np.quantile(paths[:, :, :stop].sum(axis=2), levels, axis=0)
        return found

    def grouped(self, codes: Integers, levels: Sequence[float]) -> Floats:
        """Quantiles of the sums of series of one code, (levels, codes, ahead)."""
        return np.asarray(np.quantile(self.group_paths(codes), levels, axis=0))

    def group_paths(self, codes: Integers) -> Floats:
        """Paths of the sums of series of one code, (draws, codes, ahead)."""
        sums = np.zeros((self.draws, int(codes.max(initial=0)) + 1, self.mean.shape[1]))
        for rows, paths in self.chunks():
            present, dense = np.unique(codes[rows], return_inverse=True)
            order = np.argsort(dense, kind="stable")
            starts = np.searchsorted(dense[order], np.arange(present.size))
            sums[:, present] += np.add.reduceat(paths[:, order], starts, axis=1)
        return sums
