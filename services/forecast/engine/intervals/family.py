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
BLOCK = 2_048  # Forecasts at a time: their levels fit into a cache.
LONGEST = 2_000  # Counts that are added up, whatever the rounding errors.


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
    whole = np.floor(units)
    until = special.betainc(size, whole + 1.0, chance)
    # The probability of exactly as much.
    logs = special.xlogy(whole, 1.0 - chance) + size * np.log(chance)
    here = np.exp(logs - special.betaln(size, whole + 1.0)) / (size + whole)
    return Place(np.where(whole < 1, 0.0, np.maximum(until - here, 0.0)), until)


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


def quantiles(places: Floats, mean: Floats, deviation: Floats, *, counted: bool) -> Floats:
    """Quantiles of the family that fits; whole where units are ``counted``."""
    found = amounts(places, mean, deviation)
    if counted:
        single = one_by_one(mean, deviation)
        found[:, single] = counts(places[:, single], mean[single], deviation[single])
        found = np.round(found)
    return found


def counts(places: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Quantiles of negative binomials, (levels, forecasts): whole numbers.

    Probabilities are added up count by count, for many forecasts of about the same reach at once.

    Args:
        places: (levels, forecasts), between 0 and 1.
        mean: (forecasts,). More than 0, and such that `one_by_one` holds.
        deviation: (forecasts,).
    """
    size, chance = _parameters(mean, deviation)
    found = np.zeros(places.shape)
    order = np.argsort(mean + DEVIATIONS * deviation, kind="stable")
    for start in range(0, order.size, BLOCK):
        part = order[start : start + BLOCK]
        found[:, part] = _added_up(places[:, part], size[part], chance[part])
    return found


def _added_up(places: Floats, size: Floats, chance: Floats) -> Floats:
    wanted = np.minimum(places, 1.0 - ALMOST)
    highest = wanted.max(axis=0)
    value = np.zeros(places.shape, dtype=np.int16)
    mass = np.exp(size * np.log(chance))
    until = mass.copy()
    for count in range(LONGEST):
        if not (until < highest).any():
            break
        value += wanted > until
        mass = mass * (size + count) / (count + 1.0) * (1.0 - chance)
        until += mass
    return value.astype(np.float64)


def _parameters(mean: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    """Size and chance of the negative binomial of this mean and (about) this deviation."""
    variance = np.maximum(deviation**2, LEAST_DISPERSION * mean)
    size = mean**2 / (variance - mean)
    return size, mean / variance
