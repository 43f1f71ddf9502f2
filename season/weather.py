"""Weather-ish noise: warm and cold spells that last for days and reach over the whole country."""

import numpy as np

from season.config import Place, SeasonConfig
from season.streams import stream

PERSISTENCE = 0.85  # Correlation of one day with the next.
SHARED = 0.8  # Correlation of two stores on the same day.


def autocorrelated(
    rng: np.random.Generator, shape: tuple[int, int], persistence: float
) -> np.ndarray:
    """Stationary AR(1) noise down the first axis (days), with mean 0 and variance 1."""
    noise = rng.standard_normal(shape)
    noise[1:] *= np.sqrt(1 - persistence**2)
    for day in range(1, shape[0]):
        noise[day] += persistence * noise[day - 1]
    return noise


def warmth(config: SeasonConfig, stores: tuple[Place, ...]) -> np.ndarray:
    """Warmth against the time of year, in standard deviations, shape (days, stores)."""
    rng = stream(config, "weather")
    country = autocorrelated(rng, (config.days, 1), PERSISTENCE)
    local = autocorrelated(rng, (config.days, len(stores)), PERSISTENCE)
    climate = np.array([store.warmth for store in stores])
    mixed: np.ndarray = np.sqrt(SHARED) * country + np.sqrt(1 - SHARED) * local + climate
    return mixed
