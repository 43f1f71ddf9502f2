"""The rhythm of the year and the week."""

from datetime import date, timedelta

import numpy as np

from season.categories import Category
from season.config import SeasonConfig

DAYS_PER_YEAR = 365.25
GIFT_DAYS = 21  # How long before Christmas gifts begin to be bought.


def dates(config: SeasonConfig) -> tuple[date, ...]:
    first = config.end_date - timedelta(days=config.days - 1)
    return tuple(first + timedelta(days=day) for day in range(config.days))


def yearly(days: tuple[date, ...], category: Category) -> np.ndarray:
    """Demand of a category against its own average of the year, shape (days,)."""
    day_of_year = np.array([day.timetuple().tm_yday - 1 for day in days])
    wave = np.cos(2 * np.pi * (day_of_year - category.peak_day) / DAYS_PER_YEAR)
    to_christmas = np.array([(date(day.year, 12, 24) - day).days for day in days])
    gifts = np.where(
        (to_christmas >= 0) & (to_christmas < GIFT_DAYS), 1 - to_christmas / GIFT_DAYS, 0.0
    )
    # The mean of exp(a cos x) is the Bessel function I0(a).
    shape: np.ndarray = np.exp(category.swing * wave + category.gift_effect * gifts)
    shape /= np.i0(category.swing)
    return shape


def weekly(config: SeasonConfig, days: tuple[date, ...]) -> np.ndarray:
    """Demand of a day against the average day of its week, shape (days,)."""
    shares = np.array(config.retailer.weekday_shares)
    found: np.ndarray = (shares / shares.mean())[[day.weekday() for day in days]]
    return found
