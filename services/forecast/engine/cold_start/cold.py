"""Rates of series with little or no history, from those with more."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.cold_start.calendar import calendar
from services.forecast.engine.cold_start.effects import MOST_LOG, Effects, fit_effects
from services.forecast.engine.cold_start.launch import launch_profile
from services.forecast.engine.cold_start.scatter import scatter
from services.forecast.engine.cold_start.terms import Term, choose_terms
from services.forecast.engine.panel import Panel

WINDOW_YEARS = 0.5
"""The history that levels are read from."""
LEAST_WINDOW = 4


@dataclass(frozen=True, slots=True)
class Rates:
    """Gamma posteriors of series' rates: units an ordinary period. Arrays of (rows,)."""

    expected: Floats  # Before own sales.
    shape: Floats  # After own sales.
    rate: Floats

    @property
    def mean(self) -> Floats:
        found: Floats = self.shape / self.rate
        return found


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a panel says about rates, and how to apply it to its series."""

    effects: Effects
    terms: tuple[Term, ...]
    static: Mapping[str, Integers]  # (series,) each.
    units: Floats  # (series,). Of the recent past.
    exposure: Floats  # (series,). Ordinary periods that those were sold in.
    profile: Floats  # (series, periods + ahead). What each period is to an ordinary one.

    def rates(self, rows: Integers) -> Rates:
        """Posteriors of some series: what their attributes lead to expect, then own sales."""
        static = {name: codes[rows] for name, codes in self.static.items()}
        return self.rates_of(static, self.units[rows], self.exposure[rows])

    def rates_of(self, static: Mapping[str, Integers], units: Floats, exposure: Floats) -> Rates:
        """Posteriors of any rows, given their attributes and what they have sold so far.

        The prior has the variance between series that the effects leave.
        """
        codes = [term.codes(static) for term in self.terms]
        log = self.effects.log_rate(codes, units.size)
        expected = np.exp(np.clip(log, -MOST_LOG, MOST_LOG))
        prior = 1 / self.effects.variance(codes, units.size)
        spread = self.effects.scatter.spread(expected)
        return Rates(expected, prior + units / spread, prior / expected + exposure / spread)


def cold_means(panel: Panel, rows: Integers, ahead: int, profile: Floats | None = None) -> Floats:
    """(rows, ahead). Expected units of series with little or no history.

    Finite and not negative for any panel; next to 0 if nothing in it ever sold.

    Args:
        panel: the history of all series, from which the rows borrow.
        rows: which series to forecast; their own sales count as far as they go.
        ahead: periods.
        profile: see `learn`.
    """
    learnt = learn(panel, ahead, profile)
    rates = learnt.rates(rows)
    found: Floats = rates.mean[:, np.newaxis] * learnt.profile[rows, panel.periods :]
    return found


def learn(panel: Panel, ahead: int, profile: Floats | None = None) -> Learnt:
    """Fits effects to the recent past of all series.

    Args:
        panel: the history.
        ahead: periods of the future that the profile is to reach.
        profile: (series, periods + ahead). Expected over ordinary units of each period, such as
            seasons and promotions from a tier; None for the calendar that the panel itself shows.
    """
    base = np.tile(calendar(panel, ahead), (panel.series, 1)) if profile is None else profile
    share = 1.0 if panel.exposure is None else panel.exposure
    exposed = ~np.isnan(panel.units) * share * base[:, : panel.periods]
    sold = np.where(exposed > 0, np.nan_to_num(panel.units), 0.0)
    base = base * launch_profile(panel, sold, exposed, base.shape[1] - panel.periods)
    window = slice(-max(LEAST_WINDOW, round(WINDOW_YEARS * panel.period.year)), None)
    recent = sold[:, window]
    exposed = np.where(exposed > 0, share * base[:, : panel.periods], 0.0)[:, window]
    units, exposure = recent.sum(axis=1), exposed.sum(axis=1)
    terms = choose_terms(panel.static)
    codes = [term.codes(panel.static) for term in terms]
    singles = sum(len(term.columns) == 1 for term in terms)
    effects = fit_effects(units, exposure, codes, singles, scatter(recent, exposed))
    return Learnt(effects, terms, panel.static, units, exposure, base)
