"""Rates of series with little or no history, from those with more."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.cold_start.effects import Effects, fit_effects
from services.forecast.engine.cold_start.terms import choose_terms, cross
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

WINDOW_YEARS = 0.5
"""The history that levels are read from."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Gamma posteriors of series' rates: units a period at full exposure. Arrays of (rows,)."""

    expected: Floats  # Before own sales.
    shape: Floats  # After own sales; units of `spread`.
    rate: Floats
    spread: float  # Variance over mean of a period's units.

    @property
    def mean(self) -> Floats:
        found: Floats = self.shape / self.rate
        return found


def cold_means(panel: Panel, rows: Integers, ahead: int) -> Floats:
    """(rows, ahead). Expected units of series with little or no history.

    Finite and not negative for any panel; 0 if nothing in it ever sold.

    Args:
        panel: the history of all series, from which the rows borrow.
        rows: which series to forecast; their own sales count as far as they go.
        ahead: periods.
    """
    calendar = _calendar(panel, ahead)
    rates = cold_rates(panel, rows)
    found: Floats = rates.mean[:, np.newaxis] * calendar
    return found


def cold_rates(panel: Panel, rows: Integers) -> Rates:
    """Posterior rates of series, from the effects of all others and their own recent sales."""
    units, exposure, spread = totals(panel)
    names = choose_terms(panel.static)
    terms = [cross([panel.static[name] for name in term]) for term in names]
    effects = fit_effects(units, exposure, terms, spread)
    return posterior(effects, [term[rows] for term in terms], units[rows], exposure[rows])


def posterior(
    effects: Effects, terms: Sequence[Integers], units: Floats, exposure: Floats
) -> Rates:
    """Prior from effects, with the variance between series that they leave; then own sales."""
    log = effects.log_rate(terms) if terms else np.full(units.size, effects.intercept)
    expected = np.exp(np.minimum(log, 50.0))
    prior = 1 / effects.between
    shape = prior + units / effects.spread
    rate = prior / np.maximum(expected, 1e-12) + exposure / effects.spread
    return Rates(expected, shape, rate, effects.spread)


def totals(panel: Panel) -> tuple[Floats, Floats, float]:
    """Units and exposure, (series,), of the recent past, and variance over mean of a period."""
    window = max(4, round(WINDOW_YEARS * panel.period.year))
    units = panel.units[:, -window:]
    seen = ~np.isnan(units)
    share = 1.0 if panel.exposure is None else panel.exposure[:, -window:]
    exposed = seen * share
    sold = np.where(exposed > 0, np.nan_to_num(units), 0.0)
    total, exposure = sold.sum(axis=1), exposed.sum(axis=1)
    mean = (total / np.maximum(exposure, 1e-12))[:, np.newaxis] * exposed
    freedom = np.maximum(exposure - 1, 0).sum()
    chi = np.where(exposed > 0, (sold - mean) ** 2, 0.0).sum()
    weight = (mean * (1 - 1 / np.maximum(exposure, 1.0))[:, np.newaxis]).sum()
    spread = chi / weight if freedom > 0 and weight > 0 else 1.0
    return total, exposure, float(max(spread, 1e-3))


def _calendar(panel: Panel, ahead: int) -> Floats:
    """(ahead,). Days of the week against their mean, pooled; 1 for longer periods."""
    length = panel.period.season
    if panel.period is not Period.DAY or panel.periods < 4 * length:
        return np.ones(ahead)
    recent = np.nansum(panel.units[:, -8 * length :], axis=0)
    recent = recent[recent.size % length :].reshape(-1, length).sum(axis=0)
    profile = recent / recent.mean() if recent.sum() > 0 else np.ones(length)
    found: Floats = profile[np.arange(ahead) % length]
    return found
