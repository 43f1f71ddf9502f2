"""What sells best for the time and place it had: no best-seller on six units.

A rate is discounted sales over discounted exposure, relative to what an average item would have
sold at the same time in the same places. Its prior is a Gamma distribution with the mean and the
variance of the rates over all items (empirical Bayes), so that the posterior is one as well, and
items are ranked by a low quantile of it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import WEEK_DAYS, Period
from services.forecast.engine.trends.index import add_up

HALF_LIFE_YEARS = 1 / 6
LOWER = 0.1
MOST_PRIOR = 1e6
ROUNDS = 5
SPREAD_YEARS = 0.25  # From which the scatter of weeks is read.
LEAST_SPREAD = 1e-6


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

    Series of one item in one place, such as its sizes, count as one: it is fully on the shelf when
    all of them are, each weighted with what it sells.

    Args:
        panel: the history. Exposure counts if it is there.
        items: (series,). The item of each series, from 0; -1 leaves a series out.
        places: (series,). The store of each series, from 0; None if there is but one.
        half_life_years: the age at which a sale counts half.
    """
    count = int(items.max(initial=-1)) + 1
    if count == 0:
        nothing = np.zeros(0)
        return Popularity(nothing, nothing, nothing, nothing, np.zeros(0, dtype=np.int64))
    sold, exposed, item, place = _pairs(panel, items, places)
    base = _expected(sold, exposed, item, place)
    discount = 0.5 ** (np.arange(panel.periods)[::-1] / (half_life_years * panel.period.year))
    units, expected = _sum(sold @ discount, item, count), _sum(base @ discount, item, count)
    spread = _dispersion(panel.period, add_up(sold, item, count), add_up(base, item, count))
    prior = _prior(units, expected, spread)
    shape, rate = prior + units / spread, prior + expected / spread
    lower = gammaincinv(shape, LOWER) / rate
    order = np.lexsort((np.arange(count), -lower))
    return Popularity(shape / rate, lower, units, expected, order[expected[order] > 0])


def _pairs(
    panel: Panel, items: Integers, places: Integers | None
) -> tuple[Floats, Floats, Integers, Integers]:
    """Units and exposure, (pairs, periods), of each item in each place, and both codes."""
    chosen = items >= 0
    where = np.zeros_like(items) if places is None else places
    width = int(where.max(initial=0)) + 1
    pairs, codes = np.unique(items[chosen] * width + where[chosen], return_inverse=True)
    carried = ~np.isnan(panel.units[chosen])
    share = carried * (1.0 if panel.exposure is None else panel.exposure[chosen])
    units = np.where(share > 0, np.nan_to_num(panel.units[chosen]), 0.0)
    level = units.sum(axis=1) / np.maximum(share.sum(axis=1), 1e-12) + 1e-12
    whole = add_up(carried * level[:, np.newaxis], codes, pairs.size)
    there = add_up(share * level[:, np.newaxis], codes, pairs.size)
    exposed = np.where(whole > 0, there / np.maximum(whole, 1e-12), 0.0)
    return add_up(units, codes, pairs.size), exposed, pairs // width, pairs % width


def _expected(sold: Floats, exposed: Floats, item: Integers, place: Integers) -> Floats:
    """(pairs, periods). Units of an average item in the same place, period and exposure.

    Factors of places and periods by alternating ratios, given what is sold there.
    """
    stores, count = int(place.max(initial=-1)) + 1, int(item.max(initial=-1)) + 1
    by_place, by_item, by_period = np.ones(stores), np.ones(count), np.ones(sold.shape[1])
    for _ in range(ROUNDS):
        rate = by_place[place] * by_item[item]
        by_period = (sold.sum(axis=0) + 1e-9) / (rate @ exposed + 1e-9)
        units, due = sold.sum(axis=1), exposed @ by_period
        by_item = _ratio(units, due * by_place[place], item, count)
        by_item /= max(float(np.average(by_item, weights=_sum(due, item, count) + 1e-9)), 1e-12)
        by_place = _ratio(units, due * by_item[item], place, stores)
    return np.asarray(by_place[place][:, np.newaxis] * by_period * exposed)


def _ratio(units: Floats, expected: Floats, codes: Integers, count: int) -> Floats:
    return (_sum(units, codes, count) + 1e-9) / (_sum(expected, codes, count) + 1e-9)


def _sum(values: Floats, codes: Integers, count: int) -> Floats:
    return np.bincount(codes, values, count).astype(np.float64)


def _dispersion(period: Period, sold: Floats, expected: Floats) -> float:
    """Variance over mean of an item's week (or period) around its own rate; at least a little."""
    size = WEEK_DAYS if period is Period.DAY else 1
    recent = min(sold.shape[1], round(SPREAD_YEARS * period.year))
    sold, expected = sold[:, -recent:], expected[:, -recent:]
    skip, count = sold.shape[1] % size, sold.shape[0]
    sold, due = (part[:, skip:].reshape(count, -1, size).sum(axis=2) for part in (sold, expected))
    rate = sold.sum(axis=1) / np.maximum(due.sum(axis=1), 1e-12)
    mean = rate[:, np.newaxis] * due
    freedom = int(np.maximum((mean > 0).sum(axis=1) - 1, 0).sum())
    chi = float(((sold - mean) ** 2 / np.maximum(mean, 1e-12))[mean > 0].sum())
    return max(chi / freedom, LEAST_SPREAD) if freedom else 1.0


def _prior(sold: Floats, expected: Floats, spread: float) -> float:
    """Shape and rate of the Gamma prior with mean 1, by the method of moments."""
    exposed = expected > 0
    if not exposed.any():
        return 1.0
    rate, weight = sold[exposed] / expected[exposed], expected[exposed]
    noise = spread * weight.size / weight.sum()
    between = float(np.average((rate - 1) ** 2, weights=weight)) - noise
    return float(np.clip(1 / max(between, 1e-6), 1e-3, MOST_PRIOR))
