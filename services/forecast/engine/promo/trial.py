"""A sample of a panel at past origins, on which settings are tried.

The error is the root mean squared error of each series, by that of a naive step (RMSSE), averaged:
every series counts the same, whatever its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.promo.fit import Base, moments_of, shrinkage
from services.forecast.engine.promo.levels import Trend, levels
from services.forecast.engine.promo.made import multiplied
from services.forecast.engine.promo.response import (
    Moments,
    Pool,
    Pooled,
    own_coefficients,
    shared_coefficients,
)
from services.forecast.engine.promo.settings import Settings
from services.forecast.engine.promo.terms import Single

SAMPLE = 400  # Series, at most.
SAMPLE_CELLS = 3_000_000  # Regressors x periods x series of the sample, at most.
SAMPLE_TERMS = 12_000  # Regressors x series of the sample, which are what costs most, but
FEWEST = 120  # series at least.
FOLDS = 3
SHOWN = 0.5  # Share of a period on the shelf, below which sales say too little of demand.
FEWEST_PERIODS = 6  # Of past, for a fold.


@dataclass(frozen=True, slots=True)
class Fold:
    """One past origin."""

    origin: int
    actual: Floats  # (sample, ahead). NaN where not recorded.
    scale: Floats  # (sample,). NaN where there is none.


class Trial:
    """The sample of a panel at past origins, with what repeated fits share."""

    def __init__(self, base: Base, origin: int) -> None:
        self.panel, self.history, self.design = base.panel, base.history, base.design
        self.ahead = base.ahead
        width = max(1, base.design.width)
        size = min(SAMPLE_CELLS // (width * origin), SAMPLE_TERMS // width)
        size = max(FEWEST, min(SAMPLE, size))
        self.rows = np.arange(0, base.panel.series, max(1, base.panel.series // size))
        self.x = base.design.of(self.rows)[..., :origin]
        self.folds = self._folds(origin)
        self._moments: dict[float, list[Moments]] = {}
        self._pools: dict[tuple[float, str], list[Pooled]] = {}
        self._coefficients: dict[Settings, list[Floats]] = {}

    def _folds(self, origin: int) -> list[Fold]:
        exposure = self.history.exposure[self.rows]
        shown = exposure > SHOWN
        units = np.where(
            shown, self.history.units[self.rows] / np.where(shown, exposure, 1), np.nan
        )
        starts = [origin - self.ahead * (k + 1) for k in range(FOLDS)]
        return [
            Fold(start, units[:, start : start + self.ahead], scales(units[:, :start]))
            for start in starts
            if start >= max(FEWEST_PERIODS, self.ahead // 2)
        ]

    def moments(self, yearly: float) -> list[Moments]:
        """Of every fold: what the sample's own coefficients are solved from."""
        if yearly not in self._moments:
            origins = sorted(fold.origin for fold in self.folds)
            _, found = moments_of(self.design, self.history, self.rows, origins, yearly)
            by_origin = dict(zip(origins, found, strict=True))
            self._moments[yearly] = [by_origin[fold.origin] for fold in self.folds]
        return self._moments[yearly]

    def pooled(self, yearly: float, group: str) -> list[Pooled]:
        """Of every fold: mean moments of the sample, and of its groups."""
        if (yearly, group) not in self._pools:
            pools = [Pool(self.design.width, self._codes(group)) for _ in self.folds]
            for pool, moments in zip(pools, self.moments(yearly), strict=True):
                pool.add(np.arange(self.rows.size), moments)
            self._pools[yearly, group] = [pool.pooled() for pool in pools]
        return self._pools[yearly, group]

    def _codes(self, group: str) -> Integers | None:
        """(sample,). Groups, counted within the sample: most of the panel's are not in it."""
        if not group:
            return None
        return np.unique(self.panel.static[group][self.rows], return_inverse=True)[1]

    def coefficients(self, settings: Settings) -> list[Floats]:
        """(sample, regressors) for every fold."""
        response = replace(settings, discount=0.0, trend=Trend())  # Levels do not matter here.
        if response not in self._coefficients:
            self._coefficients[response] = self._solved(response)
        return self._coefficients[response]

    def _solved(self, settings: Settings) -> list[Floats]:
        how = shrinkage(self.design, settings)
        found = []
        sums = zip(
            self.moments(settings.yearly),
            self.pooled(settings.yearly, settings.group),
            strict=True,
        )
        for moments, pooled in sums:
            panel, groups = shared_coefficients(pooled, how)
            prior = np.repeat(panel[np.newaxis], self.rows.size, axis=0)
            codes = self._codes(settings.group)
            if codes is not None:
                prior = groups[codes]
            found.append(own_coefficients(moments, prior, pooled, how) * settings.gain)
        return found

    def logs(self, betas: Sequence[Floats]) -> list[Single]:
        return [
            multiplied(self.x[..., : fold.origin + self.ahead], beta)
            for fold, beta in zip(self.folds, betas, strict=True)
        ]

    def effects(self, betas: Sequence[Floats], source: str) -> list[Single]:
        """What the regressors of ``source`` alone do to the logarithm."""
        kept = np.array([label.source == source for label in self.design.labels])
        x = self.x[:, kept]
        return [
            (beta[:, np.newaxis, kept].astype(np.float32) @ part)[:, 0]
            for fold, beta in zip(self.folds, betas, strict=True)
            for part in [x[..., : fold.origin + self.ahead]]
        ]

    def errors(self, logs: Sequence[Single], discounts: Sequence[float]) -> Floats:
        """(discounts,). Mean RMSSE over series and folds, without a trend."""
        found = []
        for fold, log in zip(self.folds, logs, strict=True):
            past = self.history.until(fold.origin, log.astype(np.float64), self.rows)
            future = np.exp(log[:, fold.origin :].astype(np.float64))
            level = levels(past, discounts)
            found.append([rmsse(one[:, np.newaxis] * future, fold) for one in level])
        return np.asarray(np.mean(found, axis=0))


def rmsse(mean: Floats, fold: Fold) -> float:
    """Root mean squared error of each series by its scale, averaged over those that have both."""
    error = (mean - fold.actual) ** 2
    count = np.isfinite(error).sum(axis=1)
    each = np.sqrt(np.nansum(error, axis=1) / np.maximum(count, 1)) / fold.scale
    kept = (count > 0) & np.isfinite(each)
    return float(each[kept].mean()) if kept.any() else 0.0


def scales(units: Floats) -> Floats:
    """(series,). Root mean squared step between recorded periods; NaN where there is none."""
    steps = np.diff(units, axis=1) ** 2
    count = np.isfinite(steps).sum(axis=1)
    found = np.sqrt(np.nansum(steps, axis=1) / np.maximum(count, 1))
    return np.where(found > 0, found, np.nan)
