"""What to call a trend."""

from enum import IntEnum

import numpy as np
from scipy.special import ndtr

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.trends.momentum import Momentum

SURE = 0.7
LEAST_GROWTH = 0.05
"""In logs, over one window. What grows less is steady, however sure that is."""


class State(IntEnum):
    STEADY = 0
    EMERGING = 1  # Grows, and is young.
    RISING = 2
    PEAKING = 3  # Grew in the window before and no longer does.
    FADING = 4


def states(now: Momentum, before: Momentum, age: Integers, young: int) -> Integers:
    """(groups,). The state of each group.

    Args:
        now: growth up to the end of the history.
        before: the same one window earlier.
        age: (groups,). Steps since the first sale.
        young: what sells for fewer steps than that, and grows, is emerging.
    """
    up, down = chance(now, LEAST_GROWTH) > SURE, chance(now, -LEAST_GROWTH) < 1 - SURE
    rose = chance(before, LEAST_GROWTH) > SURE
    found = np.full(age.shape, State.STEADY, dtype=np.int64)
    found[rose & ~up & ~down] = State.PEAKING
    found[down] = State.FADING
    found[up] = State.RISING
    found[up & (age < young)] = State.EMERGING
    return found


def chance(growth: Momentum, least: float = 0.0) -> Floats:
    """(groups,). Probability that the true growth exceeds ``least``."""
    found: Floats = ndtr((growth.shrunk - least) / np.maximum(growth.deviation, 1e-12))
    return found
