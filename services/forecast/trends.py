"""Products that sell more than the season explains.

Growth is a ratio of two Poisson rates with Gamma priors, so its posterior is a scaled F
distribution (Price and Bonett 2000, "Estimating the ratio of two Poisson rates"), whose quantile
Paulson's (1942) cube-root approximation gives in closed form. Real sales scatter more than Poisson
counts: they are divided by the dispersion of their weeks, so that one bulk order weighs little.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from services.forecast.features import Calendar
from services.forecast.panel import WEEK_DAYS, Floats, Integers, Panel

WINDOW_WEEKS = 4
WINDOW_DAYS = WINDOW_WEEKS * WEEK_DAYS
LEAST_PREVIOUS_DAYS = 7
PRIOR_UNITS = 4.0
"""Of each window, at no growth: what a product must sell before its own ratio is half believed."""
PRIOR_DISPERSION_WEEKS = 4.0
LOWER = 0.1


@dataclass(frozen=True, slots=True)
class Trends:
    """One entry a product that sold in either window, strongest first."""

    product: Integers
    growth: Floats  # Recent over previous rate, net of the season, shrunk towards 1.
    growth_p10: Floats  # Exceeded with a chance of 90 %.
    recent_units: Integers
    previous_units: Integers


def find_trends(panel: Panel, products: Integers, calendar: Calendar) -> Trends:
    """Ranks products by the lower bound of their growth.

    The season is the calendar's where two years of history identify it. Before that, the sales of
    all products stand in for it, each damped to the square root of its units: what then counts is
    growing faster than the assortment. A history with less than a week before the last 28 days
    yields no trends.

    Args:
        panel: the history.
        products: (series,), the product of each series, from 0.
        calendar: fitted on ``panel``.
    """
    days = min(panel.days, 2 * WINDOW_DAYS)
    if days < WINDOW_DAYS + LEAST_PREVIOUS_DAYS:
        nothing = np.zeros(0, dtype=np.int64)
        return Trends(nothing, np.zeros(0), np.zeros(0), nothing, nothing)
    weeks = _weeks(panel, products, days)
    exposure = _exposure(panel, calendar, weeks, days)
    dispersion = _dispersion(weeks, exposure)
    previous, recent = _windows(weeks)
    share = exposure[WINDOW_WEEKS:].sum() / max(exposure.sum(), 1e-9)
    expected = (previous + recent) * np.stack([[1 - share], [share]])
    # Gamma posteriors of both rates, relative to no growth.
    shapes = np.stack([previous, recent]) / dispersion + PRIOR_UNITS
    rates = shapes / (expected / dispersion + PRIOR_UNITS)
    growth = rates[1] / rates[0]
    low = growth * _f_quantile(2 * shapes[1], 2 * shapes[0], LOWER)
    sold = previous + recent > 0
    order = np.lexsort((np.arange(low.size), -low))
    order = order[sold[order]]
    return Trends(
        product=order.astype(np.int64),
        growth=growth[order],
        growth_p10=low[order],
        recent_units=recent[order].astype(np.int64),
        previous_units=previous[order].astype(np.int64),
    )


def _weeks(panel: Panel, products: Integers, days: int) -> Floats:
    """(8, products). Units by week, the last four recent; weeks before the history are 0."""
    totals = np.zeros((int(products.max()) + 1, 2 * WINDOW_DAYS))
    np.add.at(totals[:, 2 * WINDOW_DAYS - days :], products, panel.units[-days:].T)
    weeks: Floats = totals.reshape(-1, 2 * WINDOW_WEEKS, WEEK_DAYS).sum(axis=2).T
    return weeks


def _windows(weeks: Floats) -> tuple[Floats, Floats]:
    return weeks[:WINDOW_WEEKS].sum(axis=0), weeks[WINDOW_WEEKS:].sum(axis=0)


def _exposure(panel: Panel, calendar: Calendar, weeks: Floats, days: int) -> Floats:
    """(8,). What a product without growth would sell in each week, up to a factor."""
    if not calendar.seasonal:
        units = weeks.sum(axis=0)
        pooled: Floats = (weeks / np.sqrt(np.maximum(units, 1.0))).sum(axis=1)
        return pooled
    profile = calendar.profile(panel, panel.days - days, panel.days)
    traded = profile * calendar.open[-days:]
    weight = panel.store_totals().sum(axis=0)
    daily = np.zeros(2 * WINDOW_DAYS)
    daily[-days:] = traded @ weight
    weekly: Floats = daily.reshape(-1, WEEK_DAYS).sum(axis=1)
    return weekly


def _dispersion(weeks: Floats, exposure: Floats) -> Floats:
    """(products,). Pearson's chi-square of the weeks around their window's rate, by its freedom.

    Pulled towards the median product's; at least 1, which is Poisson's.
    """
    chi, freedom = np.zeros(weeks.shape[1]), 0
    for window in (slice(None, WINDOW_WEEKS), slice(WINDOW_WEEKS, None)):
        lived = exposure[window] > 0
        part, weight = weeks[window][lived], exposure[window][lived]
        expected = part.sum(axis=0) * (weight / max(weight.sum(), 1e-9))[:, np.newaxis]
        chi += ((part - expected) ** 2 / np.maximum(expected, 1e-9)).sum(axis=0)
        freedom += max(int(lived.sum()) - 1, 0)
    if freedom == 0:
        return np.ones(weeks.shape[1])
    sold = weeks.sum(axis=0) > 0
    typical = float(np.median(chi[sold] / freedom)) if sold.any() else 1.0
    total = PRIOR_DISPERSION_WEEKS + freedom
    return np.maximum((chi + PRIOR_DISPERSION_WEEKS * typical) / total, 1.0)


def _f_quantile(upper: Floats, lower: Floats, level: float) -> Floats:
    """Quantile of the F distribution with (upper, lower) degrees of freedom, all at least 8.

    The cube root x of F fulfils ((1 - b) x - (1 - a)) / sqrt(b x^2 + a) = z with a = 2 / (9 upper),
    b = 2 / (9 lower) and z normal: a quadratic in x.
    """
    z = NormalDist().inv_cdf(level)
    a, b = 2 / (9 * upper), 2 / (9 * lower)
    square = (1 - b) ** 2 - z**2 * b
    linear = (1 - a) * (1 - b)
    rest = (1 - a) ** 2 - z**2 * a
    root = np.sqrt(np.maximum(linear**2 - square * rest, 0.0))
    cube: Floats = ((linear + np.sign(z) * root) / square) ** 3
    return cube
