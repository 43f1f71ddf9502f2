"""Ends of intervals of counts: whole numbers, some a hair further in so that coverage is nominal.

A count is never exactly at its P10: with three quarters zeros, [0, P90] holds far more than 80 %.
Randomised quantiles (as randomised tests, Lehmann 1959; smoothed conformal prediction, Vovk et al.
2005, 2.2) include an end's own count with just the probability that makes coverage exact. Which
intervals do is fixed by a sequence of low discrepancy, not drawn: the same each time, and in the
right proportion in every part of a panel. The hair is a thousandth of a unit; rounded to whole
units the interval holds at least what it says, and its pinball loss is the same.
"""

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.intervals.family import Place

HAIR_UNITS = 1e-3
MIDDLE = 0.5
LOW_STEP, HIGH_STEP = 0.6180339887498949, 0.4142135623730951
"""Golden ratio and square root of 2: their multiples fill the unit interval evenly (Weyl)."""


def settle(values: Floats, place: Place, wanted: tuple[Floats, Floats], levels: Floats) -> Floats:
    """Moves ends of counts inwards by a hair where their own count must stay outside.

    Args:
        values: (levels, forecasts). Whole numbers.
        place: of each.
        wanted: the levels of the family that ``levels`` are, and those that 1 - ``levels`` are;
            each (levels, forecasts).
        levels: (levels,).
    """
    index = np.arange(values.shape[1])
    low = (index * LOW_STEP + LOW_STEP) % 1.0
    high = (index * HIGH_STEP + HIGH_STEP) % 1.0
    step = np.maximum(place.until - place.before, 1e-12)
    asked, mirrored = wanted
    # What the upper end cannot leave out when it is 0, because nothing lies below.
    excess = np.where(values == 0, np.maximum(place.until - mirrored, 0.0), 0.0)
    raised = (levels < MIDDLE)[:, np.newaxis] & (low < (asked - place.before + excess) / step)
    lowered = (levels > MIDDLE)[:, np.newaxis] & (high < (place.until - asked) / step)
    return np.asarray(values + HAIR_UNITS * raised - HAIR_UNITS * (lowered & (values > 0)))
