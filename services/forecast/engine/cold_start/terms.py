"""Which effects a panel's static columns have: each column, and pairs where pairs are repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from services.forecast.engine.arrays import Integers

LEAST_ROWS = 2.0
"""Series per code that a term must have on average: a term of one series each is the series."""
MOST_PAIRS = 8


@dataclass(frozen=True, slots=True)
class Term:
    """One column, or a pair of them crossed, with a code for each value that the panel has."""

    columns: tuple[str, ...]
    widths: tuple[int, ...]  # Codes of each column.
    values: Integers  # Ascending. Combinations that occur.

    @staticmethod
    def of(columns: tuple[str, ...], static: Mapping[str, Integers]) -> "Term":
        widths = tuple(int(static[name].max(initial=-1)) + 1 for name in columns)
        combined = _combined([static[name] for name in columns], widths)
        return Term(columns, widths, np.unique(combined[combined >= 0]))

    def codes(self, static: Mapping[str, Integers]) -> Integers:
        """(rows,). The code of each row; -1 if it is new, or a column of the row is."""
        combined = _combined([static[name] for name in self.columns], self.widths)
        if not self.values.size:
            return np.full(combined.size, -1, dtype=np.int64)
        found = np.minimum(np.searchsorted(self.values, combined), self.values.size - 1)
        return np.where(self.values[found] == combined, found, -1)


def choose_terms(static: Mapping[str, Integers]) -> tuple[Term, ...]:
    """The terms of a panel, coarse ones first.

    A column that tells every series apart is none. A pair is left out if one of its columns
    determines the other, because it is then that column again.
    """
    singles = [Term.of((name,), static) for name in static]
    rows = next(iter(static.values())).size if static else 0
    singles = [term for term in singles if _repeats(term, rows)]
    pairs = []
    for one, other in combinations(singles, 2):
        pair = Term.of(one.columns + other.columns, static)
        if _repeats(pair, rows) and pair.values.size > max(one.values.size, other.values.size):
            pairs.append(pair)
    singles.sort(key=lambda term: term.values.size)
    pairs.sort(key=lambda term: -term.values.size)
    return (*singles, *pairs[:MOST_PAIRS])


def _repeats(term: Term, rows: int) -> bool:
    return 1 < term.values.size <= rows / LEAST_ROWS


def _combined(columns: list[Integers], widths: tuple[int, ...]) -> Integers:
    """One number for each combination of codes; -1 where a column has none of its codes."""
    found = np.zeros(columns[0].size, dtype=np.int64)
    for codes, width in zip(columns, widths, strict=True):
        new = (codes < 0) | (codes >= width) | (found < 0)
        found = np.where(new, -1, found * width + codes)
    return found
