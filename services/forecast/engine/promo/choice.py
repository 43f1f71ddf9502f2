"""Settings chosen by how well they would have forecast from past origins.

A few hundred series stand for the panel. The error is the root mean squared error of each, by that
of a naive step (RMSSE), averaged: every series counts the same, whatever its size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.promo.fit import (
    TREND_DISCOUNTS,
    Base,
    moments_of,
    multiplied,
    shrinkage,
)
from services.forecast.engine.promo.levels import Trend, carried, growth, levels
from services.forecast.engine.promo.response import (
    Moments,
    Pool,
    Pooled,
    own_coefficients,
    shared_coefficients,
)
from services.forecast.engine.promo.settings import DISCOUNTS, Settings, default
from services.forecast.engine.promo.terms import Single

SAMPLE = 400  # Series, at most.
SAMPLE_CELLS = 3_000_000  # Regressors x periods x series of the sample, but
FEWEST = 120  # series at least.
FOLDS = 3
FEWEST_PERIODS = 6  # Of past, for a fold.
OWN_RIDGES = (8.0, 40.0, 150.0, 2000.0, np.inf)
APART = (0.2, 5.0, 40.0)  # Factors by which the ridges of columns and season may differ.
SLOWER_FADING = 0.8
GAINS = (0.9, 1.1, 0.75)
TRENDS = ((0.5, 0.0), (1.0, 0.0), (0.5, 0.25), (1.0, 0.5), (0.0, 0.25))  # Panel's, own share.
BETTER = 0.999  # A change must bring the error below this share of what it was.
MOST_SILENT = 4
FEWEST_IN_GROUP = 3


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
        size = SAMPLE_CELLS // max(1, base.design.width * origin)
        size = max(FEWEST, min(SAMPLE, size))
        self.rows = np.arange(0, base.panel.series, max(1, base.panel.series // size))
        self.x = base.design.of(self.rows)[..., :origin]
        self.folds = self._folds(origin)
        self._moments: dict[float, list[tuple[Moments, Pooled]]] = {}

    def _folds(self, origin: int) -> list[Fold]:
        units = np.where(
            self.history.exposure[self.rows] > 0, self.history.units[self.rows], np.nan
        )
        recorded = np.where(np.isfinite(self.panel.units[self.rows]), units, np.nan)
        starts = [origin - self.ahead * (k + 1) for k in range(FOLDS)]
        return [
            Fold(start, recorded[:, start : start + self.ahead], scales(units[:, :start]))
            for start in starts
            if start >= max(FEWEST_PERIODS, self.ahead // 2)
        ]

    def moments(self, settings: Settings) -> list[tuple[Moments, Pooled]]:
        """Of every fold: what the sample's own and pooled coefficients are solved from."""
        if settings.yearly not in self._moments:
            origins = sorted(fold.origin for fold in self.folds)
            _, moments = moments_of(self.design, self.history, self.rows, origins, settings.yearly)
            by_origin = dict(zip(origins, moments, strict=True))
            self._moments[settings.yearly] = [
                (by_origin[fold.origin], self._pooled(by_origin[fold.origin], None))
                for fold in self.folds
            ]
        return self._moments[settings.yearly]

    def _pooled(self, moments: Moments, codes: Integers | None) -> Pooled:
        pool = Pool(self.design.width, None if codes is None else codes)
        pool.add(np.arange(self.rows.size), moments)
        return pool.pooled()

    def coefficients(self, settings: Settings) -> list[Floats]:
        """(sample, regressors) for every fold."""
        how = shrinkage(self.design, settings)
        found = []
        for moments, pooled in self.moments(settings):
            panel, _ = shared_coefficients(pooled, how)
            prior = np.repeat(panel[np.newaxis], self.rows.size, axis=0)
            if settings.group:
                codes = self.panel.static[settings.group][self.rows]
                prior = shared_coefficients(self._pooled(moments, codes), how)[1][codes]
            found.append(own_coefficients(moments, prior, pooled, how) * settings.gain)
        return found

    def logs(self, betas: Sequence[Floats]) -> list[Single]:
        return [
            multiplied(self.x[..., : fold.origin + self.ahead], beta)
            for fold, beta in zip(self.folds, betas, strict=True)
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


def choose(base: Base, origin: int) -> Settings:
    """The best settings as far as was known at ``origin``; the usual ones if it is too early."""
    settings = default(base.panel.period)
    trial = Trial(base, origin)
    if not trial.folds:
        return settings
    if base.design.width:
        settings = _shrunk(trial, settings)
        settings = _silenced(trial, settings)
        settings = _gained(trial, settings)
    return _trended(trial, settings)


def _error(trial: Trial, settings: Settings) -> tuple[float, float]:
    """The least error over discounts, and the discount that has it."""
    discounts = DISCOUNTS[trial.panel.period]
    errors = trial.errors(trial.logs(trial.coefficients(settings)), discounts)
    return float(errors.min()), discounts[int(errors.argmin())]


def _best(trial: Trial, settings: Settings, others: Iterable[Settings]) -> Settings:
    least, discount = _error(trial, settings)
    best = replace(settings, discount=discount)
    for other in others:
        error, discount = _error(trial, other)
        if error < BETTER * least:
            least, best = error, replace(other, discount=discount)
    return best


def _shrunk(trial: Trial, settings: Settings) -> Settings:
    """Chooses ridges, fading and groups, one after the other."""
    best = _best(
        trial, settings, (replace(settings, own_ridge=r, season_ridge=r) for r in OWN_RIDGES)
    )
    best = _best(trial, best, (replace(best, yearly=SLOWER_FADING),))
    names = [
        name
        for name, codes in sorted(trial.panel.static.items())
        if 1 < np.unique(codes).size <= trial.panel.series / FEWEST_IN_GROUP
    ]
    best = _best(trial, best, (replace(best, group=name) for name in names))
    apart = [replace(best, season_ridge=best.season_ridge * f) for f in APART]
    if trial.design.recipe.columns:
        apart += [replace(best, own_ridge=best.own_ridge * f) for f in APART]
    return _best(trial, best, apart)


def _silenced(trial: Trial, settings: Settings) -> Settings:
    """Leaves out, one after the other, the sources without which the forecasts are better."""
    betas = trial.coefficients(settings)
    logs = trial.logs(betas)
    least = float(trial.errors(logs, [settings.discount])[0])
    sources = {label.source for label in trial.design.labels}
    silent: set[str] = set()
    effects = {source: _effects(trial, betas, source) for source in sorted(sources)}
    while len(silent) < MOST_SILENT:
        errors = {
            source: float(
                trial.errors(
                    [log - part for log, part in zip(logs, effects[source], strict=True)],
                    [settings.discount],
                )[0]
            )
            for source in effects
            if source not in silent
        }
        if not errors:
            break
        worst = min(errors, key=lambda source: errors[source])
        if errors[worst] >= BETTER * least:
            break
        least = errors[worst]
        logs = [log - part for log, part in zip(logs, effects[worst], strict=True)]
        silent.add(worst)
    return _best(trial, settings, (replace(settings, silent=frozenset(silent)),) if silent else ())


def _effects(trial: Trial, betas: Sequence[Floats], source: str) -> list[Single]:
    kept = np.array([label.source == source for label in trial.design.labels])
    return [
        (
            beta[:, np.newaxis, kept].astype(np.float32)
            @ trial.x[:, kept, : fold.origin + trial.ahead]
        )[:, 0]
        for fold, beta in zip(trial.folds, betas, strict=True)
    ]


def _gained(trial: Trial, settings: Settings) -> Settings:
    logs = trial.logs(trial.coefficients(settings))
    best, least = 1.0, float(trial.errors(logs, [settings.discount])[0])
    for gain in GAINS:
        error = float(
            trial.errors([np.float32(gain) * log for log in logs], [settings.discount])[0]
        )
        if error < BETTER * least:
            best, least = gain, error
    return replace(settings, gain=best)


def _trended(trial: Trial, settings: Settings) -> Settings:
    discounts = TREND_DISCOUNTS[trial.panel.period]
    logs = trial.logs(trial.coefficients(settings))
    errors = np.zeros((len(TRENDS) + 1, len(trial.folds)))
    trends = [Trend(), *(Trend(panel, own) for panel, own in TRENDS)]
    for column, (fold, log) in enumerate(zip(trial.folds, logs, strict=True)):
        past = trial.history.until(fold.origin, log.astype(np.float64), trial.rows)
        found = levels(past, (settings.discount, *discounts))
        mean = found[0][:, np.newaxis] * np.exp(log[:, fold.origin :].astype(np.float64))
        panel, own = growth(found[1:], discounts)
        for row, trend in enumerate(trends):
            moved = mean * np.exp(carried(trend, panel, own, trial.ahead))
            errors[row, column] = rmsse(moved, fold)
    mean_errors = errors.mean(axis=1)
    best = int(mean_errors.argmin())
    kept = best if mean_errors[best] < BETTER * mean_errors[0] else 0
    return replace(settings, trend=trends[kept])
