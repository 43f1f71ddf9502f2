"""Which effects a panel's static columns have: each column, and pairs where pairs are repeated."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from services.forecast.engine.arrays import Integers

LEAST_ROWS = 2.0
"""Series per code that a term must have on average: a term of one series each is the series."""
MOST_PAIRS = 8


def choose_terms(static: Mapping[str, Integers]) -> list[tuple[str, ...]]:
    """Names of the columns that each term crosses, coarse ones first.

    A column that tells every series apart is none. A pair is left out if one of its columns
    determines the other, because it is then that column again.
    """
    singles = {name: codes for name, codes in static.items() if _repeated(codes)}
    pairs = {}
    for one, other in combinations(singles, 2):
        both = cross([singles[one], singles[other]])
        finest = max(_levels(singles[one]), _levels(singles[other]))
        if _repeated(both) and _levels(both) > finest:
            pairs[one, other] = _levels(both)
    chosen = sorted(pairs, key=lambda pair: -pairs[pair])[:MOST_PAIRS]
    ordered: list[tuple[str, ...]] = sorted(
        ((name,) for name in singles), key=lambda t: _levels(singles[t[0]])
    )
    return ordered + chosen


def cross(columns: list[Integers]) -> Integers:
    """One code for each combination; -1 where a column has none."""
    found = columns[0].astype(np.int64)
    for codes in columns[1:]:
        width = int(codes.max(initial=-1)) + 1
        found = np.where((found < 0) | (codes < 0), -1, found * width + codes)
    return found


def _levels(codes: Integers) -> int:
    return int(np.unique(codes[codes >= 0]).size)


def _repeated(codes: Integers) -> bool:
    levels = _levels(codes)
    return levels > 1 and codes.size >= LEAST_ROWS * levels
