"""Settings chosen by how well they would have forecast from past origins."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from services.forecast.engine.promo.fit import TREND_DISCOUNTS, Base
from services.forecast.engine.promo.levels import Trend, carried, growth, levels
from services.forecast.engine.promo.settings import DISCOUNTS, Settings, default
from services.forecast.engine.promo.trial import Trial, rmsse

OWN_RIDGES = (8.0, 40.0, 150.0, 2000.0, np.inf)
APART = (0.2, 5.0, 40.0)  # Factors by which the ridges of columns and season may differ.
SLOWER_FADING = 0.8
GAINS = (0.9, 1.1, 0.75)
TRENDS = ((0.5, 0.0), (1.0, 0.0), (0.5, 0.25), (1.0, 0.5), (0.0, 0.25))  # Panel's, own share.
BETTER = 0.997  # A change must bring the error below this share of what it was.
MOST_SILENT = 4
FEWEST_IN_GROUP = 3


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
    effects = {source: trial.effects(betas, source) for source in sorted(sources)}
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
