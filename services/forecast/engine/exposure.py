"""Demand behind sales, where all that is known of the shelf is when it was empty.

On a day that ends with an empty shelf, sales are a lower bound of demand. Leaving such days out
would be wrong, because they are the days on which demand was high; counting them as they are, too.
Such a day is given the mean of demand that was at least the sales, E[D | D >= y], with D negative
binomial around the series' running rate: one pass of the EM algorithm for censored counts
(Dempster, Laird and Rubin 1977), forward in time. What is put in for a day depends on that day and
earlier ones alone, so that past origins see what they would have seen then.

A shelf that was empty all day says nothing: its exposure is 0.
"""

from dataclasses import replace

import numpy as np
from scipy.special import betainc, gammaln

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import WEEK_DAYS, Period

MEMORY_YEARS = 0.09
"""In which the weight of a period falls to 1 / e: 33 days."""
PRIOR_PERIODS = 4.0
"""Of the average series, in each rate: what a shelf that is always empty is taken for."""
SIZES = np.sqrt(2.0) ** np.arange(-4, 11)
"""Candidates for the size of the negative binomial, whose variance is mean + mean^2 / size."""
MOST_SAMPLED = 500  # Series that the size is estimated from.


def uncensor(panel: Panel, empty: Booleans) -> Panel:
    """The panel with demand in place of sales, and exposure 0 where nothing could be bought.

    Units stay as they are where the shelf was not empty, and never fall. Days are better than weeks
    here: uncensor before adding up.

    Args:
        panel: sales. Its exposure, if it has one, is kept where lower.
        empty: (series, periods). Whether the shelf was empty at the end of the period.
    """
    known = ~np.isnan(panel.units)
    sold = np.where(known, panel.units, 0.0)
    exposure = np.ones_like(sold) if panel.exposure is None else panel.exposure.copy()
    exposure[empty & (sold == 0)] = 0.0
    state = _Running(panel)
    demand = sold.copy()
    for column in range(panel.periods):
        mean = state.expected(column)
        seen = known[:, column] & (exposure[:, column] > 0)
        bound = seen & empty[:, column]
        if bound.any():
            demand[bound, column] = mean_given_at_least(
                sold[bound, column], mean[bound], state.size
            )
        state.update(column, demand[:, column], sold[:, column], seen, bound)
    return replace(panel, units=np.where(known, demand, np.nan), exposure=exposure)


def mean_given_at_least(units: Floats, mean: Floats, size: float) -> Floats:
    """E[D | D >= units] of a negative binomial D with variance mean + mean^2 / size.

    From y f(y; size) = mean f(y - 1; size + 1), with tails as incomplete Beta functions.

    Args:
        units: whole units, not negative.
        mean: not negative; shapes broadcast.
        size: positive. Large is Poisson.
    """
    success = mean / (mean + size)
    tail = betainc(np.maximum(units, 1.0), size, success)
    above = np.where(units > 1, betainc(np.maximum(units - 1, 1.0), size + 1, success), 1.0)
    # Past the reach of floating point the excess over `units` is that of a geometric tail.
    far = units + success * (units + size) / np.maximum(units, 1.0)
    found = np.where(tail > 1e-200, mean * above / np.maximum(tail, 1e-200), far)  # noqa: PLR2004
    return np.where(units > 0, np.maximum(found, units), mean)


class _Running:
    """Rates, weekday factors and the size of the negative binomial, as known so far."""

    def __init__(self, panel: Panel) -> None:
        series = panel.series
        self._memory = float(np.exp(-1 / (MEMORY_YEARS * panel.period.year)))
        self._units, self._exposed = np.zeros(series), np.zeros(series)
        self._pooled = np.full(2, 1e-9)
        weekdays = panel.dates.astype("datetime64[D]").astype(np.int64) % WEEK_DAYS
        self._slot = weekdays if panel.period is Period.DAY else np.zeros_like(weekdays)
        slots = WEEK_DAYS if panel.period is Period.DAY else 1
        self._slots = np.full((2, slots), 1e-9)
        self._likelihood = -0.5 * np.log(SIZES) ** 2  # A weak prior around the geometric.
        self._sample = np.linspace(0, series - 1, min(series, MOST_SAMPLED)).astype(np.int64)
        self._rate, self._mean = np.zeros(series), np.zeros(series)

    @property
    def size(self) -> float:
        return float(SIZES[self._likelihood.argmax()])

    def expected(self, column: int) -> Floats:
        """(series,). Units of a period with a full shelf, from earlier columns alone."""
        pooled = self._pooled[0] / self._pooled[1]
        self._rate = (self._units + PRIOR_PERIODS * pooled) / (self._exposed + PRIOR_PERIODS)
        slot = self._slots[:, self._slot[column]]
        factor = slot[0] / slot[1] if self._slots.shape[1] > 1 else 1.0
        self._mean = self._rate * factor
        return self._mean

    def update(
        self, column: int, demand: Floats, sold: Floats, seen: Booleans, bound: Booleans
    ) -> None:
        slot = self._slot[column]
        if self._slots.shape[1] > 1:
            self._slots[:, slot] += (demand[seen].sum(), self._rate[seen].sum())
        factor = self._slots[0, slot] / self._slots[1, slot] if self._slots.shape[1] > 1 else 1.0
        missed = (demand - sold) / np.maximum(self._mean, 1e-12)
        share = np.where(seen, np.clip(1 - missed, 0.0, 1.0), 0.0)
        self._units = self._memory * self._units + np.where(seen, sold, 0.0)
        self._exposed = self._memory * self._exposed + factor * share
        self._pooled = self._memory * self._pooled
        self._pooled += (demand[seen].sum(), factor * seen.sum())
        rows = self._sample[seen[self._sample] & (self._mean[self._sample] > 0)]
        self._likelihood += _log_likelihood(sold[rows], self._mean[rows], bound[rows])


def _log_likelihood(units: Floats, mean: Floats, bound: Booleans) -> Floats:
    """(SIZES,). Of negative binomials; P(D >= units) where units are but a bound."""
    found = np.zeros(SIZES.size)
    for index, size in enumerate(SIZES.tolist()):
        success = mean / (mean + size)
        exact = (
            gammaln(units + size) - gammaln(size) - gammaln(units + 1)
            + size * np.log1p(-success) + units * np.log(np.maximum(success, 1e-300))
        )  # fmt: skip
        tail = np.log(np.maximum(betainc(np.maximum(units, 1.0), size, success), 1e-300))
        found[index] = np.where(bound, np.where(units > 0, tail, 0.0), exact).sum()
    return found
