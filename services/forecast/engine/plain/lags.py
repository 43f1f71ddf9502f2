"""Linear regression on the latest periods, with one set of coefficients for all series.

What a series did lately, relative to its mean, says what it does next in the same way for most
series of a panel: how fast peaks pass, whether a good week is paid back. Coefficients are learned
by ridge regression over windows of the whole sample, one set for each period ahead (global linear
models: Montero-Manso and Hyndman 2021).
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.period import Period

LAGS = {Period.DAY: 28, Period.WEEK: 26, Period.MONTH: 18}
LEAST_LAGS = 4
MEMORY = 0.5 ** (1 / 64)  # Discount of the long level beside the lags.
MOST_WINDOWS = 60_000
LEAST_WINDOWS = 200
RIDGE = 0.03  # Relative to the mean square of a lag.


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Of the lags' deviations from their mean, of the long level's, and of the mean itself."""

    values: Floats  # (lags + 2, ahead).

    @property
    def lags(self) -> int:
        return int(self.values.shape[0]) - 2

    def forecast(self, rates: Floats, known: Floats) -> Floats:
        """(ahead, series). Rates to come, from ``rates`` and ``known`` (periods, series)."""
        periods = rates.shape[0]
        size = min(self.lags, periods)
        weight = np.concatenate([np.zeros((self.lags - size, rates.shape[1])), known[-size:]])
        latest = np.concatenate([np.zeros((self.lags - size, rates.shape[1])), rates[-size:]])
        mean = (latest * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-12)
        long = _long(rates, known)[-1]
        mean = np.where(weight.sum(axis=0) > 0, mean, long)
        features = np.concatenate([(latest - mean) * weight, [long - mean, mean]])
        found: Floats = np.maximum(mean + self.values.T @ features, 0.0)
        return found


def fit_lags(rates: Floats, known: Floats, ahead: int, period: Period) -> Coefficients | None:
    """Learns from every window that was fully observed; None where there are too few.

    Args:
        rates: (periods, series), without season.
        known: (periods, series). 1 where a rate was observed, else 0.
        ahead: periods to forecast.
        period: tells how many lags there are.
    """
    periods = rates.shape[0]
    lags = min(LAGS[period], (periods - ahead) // 2)
    if lags < LEAST_LAGS:
        return None
    scale = _steps(rates, known)
    usable = scale > 0
    rates, known, scale = rates[:, usable], known[:, usable], scale[usable]
    ends = _ends(lags, periods - ahead, max(1, int(usable.sum())))
    long = _long(rates, known) / scale
    rates = rates / scale
    gram, moment, count = np.zeros((lags + 2, lags + 2)), np.zeros((lags + 2, ahead)), 0
    for end in ends.tolist():
        whole = known[end - lags : end + ahead].min(axis=0) > 0
        before, after = rates[end - lags : end, whole], rates[end : end + ahead, whole]
        mean, level = before.mean(axis=0), long[end - 1, whole]
        features = np.concatenate([before - mean, [level - mean, mean]])
        gram += features @ features.T
        moment += features @ (after - mean).T
        count += int(whole.sum())
    if count < LEAST_WINDOWS:
        return None
    ridge = RIDGE * np.mean(np.diag(gram)[:lags])
    return Coefficients(np.linalg.solve(gram + ridge * np.eye(lags + 2), moment))


def _ends(first: int, last: int, series: int) -> Integers:
    """Columns that windows end at, the last included, as many as there is time for."""
    most = max(1, MOST_WINDOWS // series)
    step = max(1, -(-(last - first + 1) // most))
    return np.arange(last, first - 1, -step)


def _long(rates: Floats, known: Floats) -> Floats:
    """(periods, series). The discounted mean up to and with each period."""
    above, below = np.zeros(rates.shape[1]), np.zeros(rates.shape[1])
    found = np.zeros_like(rates)
    for at, (rate, share) in enumerate(zip(rates, known, strict=True)):
        above = MEMORY * above + rate * share
        below = MEMORY * below + share
        found[at] = above / np.maximum(below, 1e-12)
    return found


def _steps(rates: Floats, known: Floats) -> Floats:
    """(series,). Root mean squared step between neighbouring periods."""
    both = known[1:] * known[:-1]
    squares = (np.diff(rates, axis=0) ** 2 * both).sum(axis=0)
    found: Floats = np.sqrt(squares / np.maximum(both.sum(axis=0), 1.0))
    return found
