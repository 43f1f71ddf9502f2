"""What sells best for the time and place it had: no best-seller on six units.

A rate is discounted sales over discounted exposure, relative to what an average item would have
sold at the same time in the same places. Its prior is a Gamma distribution with the mean and the
variance of the rates over all items (empirical Bayes), so that the posterior is one as well, and
items are ranked by a low quantile of it. Sell-through is a share, with Beta for Gamma.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, gammaincinv

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.panel import Panel

HALF_LIFE_YEARS = 1 / 6
LOWER = 0.1
MOST_PRIOR = 1e6
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Popularity:
    """Arrays of shape (items,). The rate of an average item is 1."""

    rate: Floats  # Mean of the posterior.
    lower: Floats  # Exceeded with a chance of 90 %.
    units: Floats  # Discounted sales.
    expected: Floats  # Discounted sales of an average item with the same exposure.
    order: Integers  # Items that had any exposure, the most popular by `lower` first.


def popularity(
    panel: Panel,
    items: Integers,
    places: Integers | None = None,
    half_life_years: float = HALF_LIFE_YEARS,
) -> Popularity:
    """Ranks items by the rate at which they sell where and while they can be bought.

    Args:
        panel: the history. Exposure counts if it is there.
        items: (series,). The item of each series, from 0; -1 leaves a series out.
        places: (series,). The store of each series, from 0; None if there is but one.
        half_life_years: the age at which a sale counts half.
    """
    chosen = items >= 0
    groups = items[chosen]
    count = int(items.max(initial=-1)) + 1
    units, exposure = _discounted(panel, half_life_years)
    units, exposure = units[chosen], exposure[chosen]
    where = np.zeros_like(groups) if places is None else places[chosen]
    base = _by_place(units, exposure, where, groups)
    sold = _sum(units, groups, count)
    expected = _sum(exposure * base[where], groups, count)
    spread = max(_dispersion(panel, chosen), 1e-9)
    prior = _prior(sold, expected, spread)
    shape, rate = prior + sold / spread, prior + expected / spread
    lower = gammaincinv(shape, LOWER) / rate
    order = np.lexsort((np.arange(count), -lower))
    return Popularity(shape / rate, lower, sold, expected, order[expected[order] > 0])


def sell_through_lower(sold: Floats, received: Floats) -> Floats:
    """(items,). A bound that the share of what was delivered and will be sold exceeds with 90 %.

    The prior is a Beta distribution with the mean of all items, worth as many units as their
    variance says.
    """
    total = received.sum()
    if total <= 0:
        return np.zeros_like(sold)
    mean = float(np.clip(sold.sum() / total, 1e-6, 1 - 1e-6))
    share = np.where(received > 0, sold / np.maximum(received, 1e-9), mean)
    between = float(np.average((share - mean) ** 2, weights=received))
    noise = mean * (1 - mean) * np.count_nonzero(received) / total
    prior = mean * (1 - mean) / max(between - noise, 1e-6) - 1
    prior = float(np.clip(prior, 1.0, MOST_PRIOR))
    left = np.maximum(received - sold, 0.0)
    lower: Floats = betaincinv(prior * mean + sold, prior * (1 - mean) + left, LOWER)
    return lower


def _discounted(panel: Panel, half_life_years: float) -> tuple[Floats, Floats]:
    """(series,) each: units, and units of an average series with the same exposure over time."""
    age = np.arange(panel.periods)[::-1] / panel.period.year
    weight = 0.5 ** (age / half_life_years)
    seen = ~np.isnan(panel.units)
    exposed = seen * (1.0 if panel.exposure is None else panel.exposure)
    sold = np.where(exposed > 0, np.nan_to_num(panel.units), 0.0)
    calendar = sold.sum(axis=0) / np.maximum(exposed.sum(axis=0), 1e-9)
    return sold @ weight, exposed @ (weight * calendar)


def _by_place(units: Floats, exposure: Floats, places: Integers, items: Integers) -> Floats:
    """(places,). How much more an item sells there than elsewhere: alternating ratios."""
    stores, count = int(places.max(initial=-1)) + 1, int(items.max(initial=-1)) + 1
    place, item = np.ones(stores), np.ones(count)
    for _ in range(ROUNDS):
        item = _ratio(units, exposure * place[places], items, count)
        place = _ratio(units, exposure * item[items], places, stores)
    total = (exposure * place[places]).sum()
    scaled: Floats = place * (units.sum() / max(total, 1e-9))
    return scaled


def _ratio(units: Floats, expected: Floats, codes: Integers, count: int) -> Floats:
    return (_sum(units, codes, count) + 1e-9) / (_sum(expected, codes, count) + 1e-9)


def _sum(values: Floats, codes: Integers, count: int) -> Floats:
    return np.bincount(codes, values, count).astype(np.float64)


def _dispersion(panel: Panel, chosen: Booleans) -> float:
    """Variance over mean of the units of a period: 1 for Poisson counts."""
    units = panel.units[chosen]
    mean = np.nanmean(units) if units.size and not np.isnan(units).all() else 1.0
    steps = np.diff(units, axis=1)
    seen = ~np.isnan(steps)
    if not seen.any():
        return 1.0
    return float((np.nansum(steps**2) / 2 / seen.sum()) / max(float(mean), 1e-9))


def _prior(sold: Floats, expected: Floats, spread: float) -> float:
    """Shape and rate of the Gamma prior with mean 1, by the method of moments."""
    exposed = expected > 0
    if not exposed.any():
        return 1.0
    rate, weight = sold[exposed] / expected[exposed], expected[exposed]
    noise = spread * weight.size / weight.sum()
    between = float(np.average((rate - 1) ** 2, weights=weight)) - noise
    return float(np.clip(1 / max(between, 1e-6), 1e-3, MOST_PRIOR))
