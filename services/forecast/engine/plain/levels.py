"""Levels and slopes by discounted least squares: closed forms, so that they are matrix products.

An observation of age a counts discount^a. With the profile's multiplier u and the observed share w
of each period, the model is y = w u (level + slope x time), and the estimates are ratios of sums,
which need no start value and no smoothing past gaps (Brown 1963; the ratio form is unbiased for
the mean even of counts that are mostly zero).
"""

import numpy as np

from services.forecast.engine.arrays import Floats

TINY = 1e-200  # Of a sum of discounts: under it a series has nothing recent to tell.
LEAST_SPREAD = 1e-9  # Of time, relative: under it all observations lie at one point.


def levels(units: Floats, exposed: Floats, discounts: Floats) -> Floats:
    """Discounted mean rates, (discounts, series), 0 for a series without any observation.

    Args:
        units: (periods, series), 0 where nothing was observed.
        exposed: (periods, series). Observed share times the profile's multiplier.
        discounts: (discounts,), each above 0 and at most 1.
    """
    ages = np.arange(units.shape[0])[::-1]
    weights = discounts[:, np.newaxis] ** ages
    above, below = weights @ units, weights @ exposed
    plain = units.sum(axis=0) / np.maximum(exposed.sum(axis=0), TINY)
    found: Floats = np.where(below > TINY, above / np.maximum(below, TINY), plain)
    return found


def slopes(units: Floats, exposed: Floats, discount: float) -> Floats:
    """(series,). Change of the rate in a period; 0 for a series too short to show one."""
    periods = units.shape[0]
    times = np.arange(periods) - (periods - 1.0)
    weights = discount**-times
    terms = np.stack([weights, weights * times, weights * times**2])
    zero, one, two = terms @ exposed
    sold, moved = terms[:2] @ units
    spread = zero * two - one**2
    shown = spread > LEAST_SPREAD * zero * two
    return np.where(shown, (zero * moved - one * sold) / np.where(shown, spread, 1.0), 0.0)


def damped(damping: float, ahead: int) -> Floats:
    """(ahead, 1). How many slopes each period ahead is away."""
    return np.cumsum(damping ** np.arange(1, ahead + 1))[:, np.newaxis]
