"""Two families of distributions with a given mean and standard deviation, for counts and amounts.

Counts: the negative binomial, while single units matter. Amounts: the cube of a normal variable,
which is how Wilson and Hilferty (1931) approximate a gamma: skewed when spread is wide, normal when
it is narrow, with a chance of exactly 0 when it is very wide, and its inverse is a formula. Neither
has to be true: `recalibration` learns how far to trust it.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from services.forecast.engine.arrays import Booleans, Floats

FAR_UNITS = 300.0  # Mean + 4 standard deviations up to which units are counted one by one.
DEVIATIONS = 4.0
LEAST_DISPERSION = 1.02  # Variance over mean of a negative binomial, at least.
WHOLE = 0.999  # Share of whole numbers in a panel of counts.
HALF = 0.5
ALMOST = 1e-9


class Place(NamedTuple):
    """A value's place in its distribution."""

    before: Floats  # Probability of less, and
    until: Floats  # of as much or less.


def counted(units: Floats) -> bool:
    """Whether units are whole numbers; NaN does not count."""
    known = units[~np.isnan(units)]
    return bool(known.size and (known == np.round(known)).mean() >= WHOLE)


def one_by_one(mean: Floats, deviation: Floats) -> Booleans:
    """Whether single units matter in a distribution of counts."""
    return mean + DEVIATIONS * deviation <= FAR_UNITS


def place_of_counts(units: Floats, mean: Floats, deviation: Floats) -> Place:
    """Where whole ``units`` lie in their negative binomials."""
    size, chance = _parameters(mean, deviation)
    until = special.betainc(size, np.floor(units) + 1.0, chance)
    below = special.betainc(size, np.maximum(np.floor(units), ALMOST), chance)
    return Place(np.where(units < 1, 0.0, below), until)


def place_of_amounts(units: Floats, mean: Floats, deviation: Floats, unit: float) -> Place:
    """Where ``units`` lie in cubed normals; whole ones fill half a ``unit`` to either side."""
    low = _below(units - HALF * unit, mean, deviation)
    high = _below(units + HALF * unit, mean, deviation)
    return Place(np.where(units <= HALF * unit, 0.0, low), high)


def _below(units: Floats, mean: Floats, deviation: Floats) -> Floats:
    ninth = (deviation / mean) ** 2 / 9.0
    root = np.cbrt(np.maximum(units, 0.0) / mean)
    return np.asarray(special.ndtr((root - 1.0 + ninth) / np.sqrt(ninth)))


def amounts(places: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Quantiles of cubed normals; ``places`` is (levels, *mean.shape), between 0 and 1."""
    ninth = (deviation / mean) ** 2 / 9.0
    root = 1.0 - ninth + np.sqrt(ninth) * special.ndtri(places)
    return np.asarray(mean * np.maximum(root, 0.0) ** 3)


def counts(places: Floats, mean: Floats, deviation: Floats) -> tuple[Floats, Place]:
    """Quantiles of negative binomials, whole numbers, and the place of each.

    Probabilities are added up count by count for all forecasts at once, and forecasts leave when
    their highest quantile is found.

    Args:
        places: (levels, forecasts), between 0 and 1.
        mean: (forecasts,). More than 0, and such that `one_by_one` holds.
        deviation: (forecasts,).
    """
    size, chance = _parameters(mean, deviation)
    rate = 1.0 - chance
    highest = np.minimum(places.max(axis=0), 1.0 - ALMOST)
    value, before, until = np.zeros((3, *places.shape))
    active = np.arange(mean.size)
    mass = np.exp(size * np.log(chance))
    below = np.zeros(mean.size)
    count = 0
    while active.size:
        upto = below + mass
        wanted = places[:, active]
        here = (wanted > below) | (count == 0)
        value[:, active] = np.where(here, count, value[:, active])
        before[:, active] = np.where(here, below, before[:, active])
        until[:, active] = np.where(here, upto, until[:, active])
        mass = mass * (size[active] + count) / (count + 1.0) * rate[active]
        going = (upto < highest[active]) & (count < LONGEST)
        active, below, mass = active[going], upto[going], mass[going]
        count += 1
    return value, Place(before, until)


LONGEST = 2_000  # Counts that are added up, whatever the rounding errors.


def _parameters(mean: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    """Size and chance of the negative binomial of this mean and (about) this deviation."""
    variance = np.maximum(deviation**2, LEAST_DISPERSION * mean)
    size = mean**2 / (variance - mean)
    return size, mean / variance
