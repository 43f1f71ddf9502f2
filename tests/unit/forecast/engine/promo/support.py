"""A panel whose response to promotions and prices is planted."""

from dataclasses import dataclass, field

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from tests.unit.forecast.engine.support import FIRST

FLAG_EFFECT = 0.8  # Logarithm.
ELASTICITY = -2.0


@dataclass(frozen=True)
class Planted:
    panel: Panel
    expected: Floats  # (series, periods + ahead)
    known: dict[str, Floats] = field(default_factory=dict)


def planted(series: int = 60, periods: int = 100, ahead: int = 8, seed: int = 1) -> Planted:
    """Weekly sales of promoted articles: a flag, a price and its regular price, two stores."""
    random = np.random.default_rng(seed)
    shape = (series, periods + ahead)
    flag = (random.random(shape) < 0.1).astype(np.float64)
    cut = np.where(random.random(shape) < 0.2, random.choice([0.1, 0.2, 0.3], shape), 0.0)
    regular = np.repeat(random.uniform(2, 9, (series, 1)), shape[1], axis=1)
    known = {"regular": regular, "shelf": regular * (1 - cut), "leaflet": flag}
    regular = regular * np.where(np.arange(shape[1]) > periods // 2, 1.0, 1.05)
    known["regular"] = regular
    known["shelf"] = regular * (1 - cut)
    level = random.uniform(5, 60, (series, 1))
    expected = level * np.exp(FLAG_EFFECT * flag + ELASTICITY * np.log(1 - cut))
    units = random.poisson(expected[:, :periods]).astype(np.float64)
    static = {"store": np.arange(series) % 2, "article": np.arange(series) // 2}
    dates = Period.WEEK.dates(FIRST, shape[1])
    return Planted(Panel(Period.WEEK, dates, units, known, static), expected, known)
