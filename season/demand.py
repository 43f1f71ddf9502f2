"""True demand: what customers would buy if every shelf were full."""

from dataclasses import dataclass

import numpy as np

from season import calendar, lifecycle, weather
from season.plan import Plan
from season.streams import stream

FASHION_PERSISTENCE = 0.985  # Of the taste for a choice, from one day to the next.
FASHION_SWING = 0.30  # Its standard deviation, in log demand.
DAY_PERSISTENCE = 0.5  # Of the busyness of a store: a fair in town, roadworks.
DAY_SWING = 0.12
POPULARITY_SWING = 0.5  # Between choices, in log demand.


@dataclass(frozen=True, slots=True)
class Demand:
    """Arrays of shape (days, series), but for the last."""

    expected: np.ndarray  # Units, the mean of the distribution that demand is drawn from; float.
    units: np.ndarray  # Units wanted; int64.
    on_sale: np.ndarray  # Whether the style was sold then; bool.
    baseline: np.ndarray  # Shape (series,): units a day that the retailer expects at a launch.


def draw(plan: Plan) -> Demand:
    style, store = plan.style_of_series, plan.series.store_index
    expected = (_by_style(plan) * plan.uplift)[:, style]
    expected *= taste(plan)[:, plan.choice_of_series]
    expected *= _by_store(plan)[:, store]
    warmth_effect = np.array([s.category.warmth_effect for s in plan.catalog.styles])[style]
    expected *= np.exp(warmth_effect * weather.warmth(plan.config, plan.stores)[:, store])
    size_share = np.array([sku.size_share for sku in plan.catalog.skus])[plan.series.sku_index]
    weight = size_share * np.array([s.footfall for s in plan.stores])[store]
    expected *= weight

    on_sale = np.stack([lifecycle.on_sale(life, len(plan.days)) for life in plan.lives], axis=1)
    on_sale = on_sale[:, style]
    scale = plan.config.daily_units / expected[on_sale].mean()
    expected *= scale
    rng = stream(plan.config, "demand")
    units = _negative_binomial(rng, expected, plan.config.dispersion)
    return Demand(expected, units, on_sale, baseline=weight * scale)


def _by_style(plan: Plan) -> np.ndarray:
    """Year, life and week, shape (days, styles)."""
    week = calendar.weekly(plan.config, plan.days)
    curves = [
        calendar.yearly(plan.days, style.category) * lifecycle.curve(life, len(plan.days)) * week
        for style, life in zip(plan.catalog.styles, plan.lives, strict=True)
    ]
    return np.stack(curves, axis=1)


def taste(plan: Plan) -> np.ndarray:
    """Popularity and the slow turns of fashion, shape (days, choices)."""
    rng = stream(plan.config, "fashion")
    shape = (len(plan.days), len(plan.catalog.choices))
    popularity = POPULARITY_SWING * rng.standard_normal(shape[1])
    turns = FASHION_SWING * weather.autocorrelated(rng, shape, FASHION_PERSISTENCE)
    found: np.ndarray = np.exp(popularity + turns)
    return found


def _by_store(plan: Plan) -> np.ndarray:
    """Good and bad days of a store, shape (days, stores)."""
    rng = stream(plan.config, "store-days")
    shape = (len(plan.days), len(plan.stores))
    busy: np.ndarray = np.exp(DAY_SWING * weather.autocorrelated(rng, shape, DAY_PERSISTENCE))
    return busy


def _negative_binomial(rng: np.random.Generator, mean: np.ndarray, dispersion: float) -> np.ndarray:
    """Draws with variance mean + mean^2 / dispersion; exactly 0 where the mean is 0."""
    units: np.ndarray = rng.negative_binomial(dispersion, dispersion / (dispersion + mean))
    return units
