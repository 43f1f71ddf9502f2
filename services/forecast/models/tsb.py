"""TSB: exponential smoothing of how often and how much an item sells, for all items at once.

Teunter, Syntetos, Babai (2011), "Intermittent demand: linking forecasting to inventory
obsolescence", EJOR 214(3). Unlike Croston's method it lets the level of an item that stopped
selling fade. Two additions: sales are divided by a calendar profile first, and a young series
averages (its gain is 1 / age) before it smooths.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.panel import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Gains and priors. Chosen on the validation origins of benchmarks/forecast_light.py."""

    chance_gain: float = 0.1
    size_gain: float = 0.05
    chance_prior_days: float = 10.0
    size_prior_sales: float = 0.5


@dataclass(frozen=True, slots=True)
class State:
    """What the past of each series comes down to. All of shape (series,)."""

    chance: Floats  # Of a sale on an average trading day.
    size: Floats  # Units, when there is one.
    squared_errors: Floats  # Sum of squared one-day-ahead errors, and
    means: Floats  # the sums of the forecasts and
    squared_means: Floats  # squared forecasts they belong to, over
    observed_days: Integers  # this many days.

    @property
    def level(self) -> Floats:
        """Units on an average trading day."""
        return self.chance * self.size


def smooth(
    units: Floats, profile: Floats, observed: Booleans, first_sales: Integers, gains: Smoothing
) -> State:
    """Runs TSB over every series.

    A series begins at its first sale, which sets its size; its chance counts from the next day on,
    because the day of the first sale was picked for its sale.

    Args:
        units: (days, series), not negative.
        profile: (days, series), the calendar's factor; where 0 nothing is learned.
        observed: (days, series), False where a day says nothing about demand.
        first_sales: (series,), the row of the first sale; ``days`` if there is none.
        gains: how fast to learn.
    """
    days, series = units.shape
    prior_chance, prior_size = _pooled(units, first_sales)
    chance = np.full(series, prior_chance)
    size = np.full(series, prior_size)
    age, sales = np.zeros(series), np.zeros(series)
    squared_errors, means, squared_means = np.zeros((3, series))
    for day in range(days):
        usable = observed[day] & (profile[day] > 0)
        running = usable & (day > first_sales)
        forecast = chance * size * profile[day]
        error = np.where(running, units[day] - forecast, 0.0)
        squared_errors += error**2
        means += np.where(running, forecast, 0.0)
        squared_means += np.where(running, forecast**2, 0.0)
        sold = units[day] > 0
        gain = np.maximum(gains.chance_gain, 1 / (age + 1 + gains.chance_prior_days))
        chance += np.where(running, gain * (sold - chance), 0.0)
        age += running
        sells = usable & sold
        gain = np.maximum(gains.size_gain, 1 / (sales + 1 + gains.size_prior_sales))
        scaled = units[day] / np.where(usable, profile[day], 1.0)
        size += np.where(sells, gain * (scaled - size), 0.0)
        sales += sells
    chance = np.where(first_sales < days, chance, 0.0)
    return State(chance, size, squared_errors, means, squared_means, age.astype(np.int64))


def _pooled(units: Floats, first_sales: Integers) -> tuple[float, float]:
    """Chance of a sale and size of a sale over all series, from their first sales on."""
    days = units.shape[0]
    lived = float(np.maximum(days - first_sales - 1, 0).sum())
    sold = units > 0
    sales = float(sold.sum())
    firsts = float((first_sales < days).sum())
    chance = (sales - firsts + 1.0) / (lived + 2.0)
    return chance, float(units.sum()) / sales if sales else 0.0
