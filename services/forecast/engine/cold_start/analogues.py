"""Items that a new one is compared with, and what those would sell in its place."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.cold_start.cold import Learnt

MOST_ANALOGUES = 8
MISMATCHES = 2.0
"""Of the variance of an attribute's effects: the expected squared difference of two codes."""
OWN = 0.05
"""Expected squared log difference of two items that share every attribute, at least."""


@dataclass(frozen=True, slots=True)
class Analogues:
    """Heaviest first."""

    items: Integers  # (analogues,). Codes of the item column.
    weights: Floats  # (analogues,). Adding up to 1.

    @staticmethod
    def of(given: Mapping[int, float]) -> "Analogues":
        """A list that somebody chose. Weights are relative.

        Raises:
            ValueError: a weight is negative, or all are 0.
        """
        items = np.array(list(given), dtype=np.int64)
        weights = np.array(list(given.values()), dtype=np.float64)
        if (weights < 0).any() or weights.sum() <= 0:
            raise ValueError("analogues: weights must not be negative, and one must be positive.")
        order = np.argsort(-weights, kind="stable")
        return Analogues(items[order], weights[order] / weights.sum())


def item_columns(static: Mapping[str, Integers], item: str) -> list[str]:
    """Columns that belong to an item: the same in all of its series, its own code included."""
    codes = static[item]
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return [name for name, column in static.items() if (column[first][inverse] == column).all()]


def nearest(learnt: Learnt, item: str, wanted: Mapping[str, int]) -> Analogues:
    """Items by their expected squared difference from the new one, in log rates.

    Each attribute that differs adds what the effects of that attribute vary by, so that an
    attribute that does not matter does not make items unlike.

    Args:
        learnt: from a panel.
        item: the static column that names items.
        wanted: the new item's code in each column that belongs to items; -1 if new itself.
    """
    sold = learnt.exposure > 0
    items, first = np.unique(learnt.static[item][sold], return_index=True)
    known = items >= 0
    items, first = items[known].astype(np.int64), first[known]
    matters = {
        term.columns[0]: variance
        for term, variance in zip(learnt.terms, learnt.effects.variances, strict=True)
        if len(term.columns) == 1
    }
    apart = np.full(items.size, OWN + MISMATCHES * matters.get(item, 0.0))
    for name, code in wanted.items():
        if name != item and code >= 0:
            differs = learnt.static[name][sold][first] != code
            apart += MISMATCHES * matters.get(name, 0.0) * differs
    order = np.argsort(apart, kind="stable")[:MOST_ANALOGUES]
    weights = 1 / apart[order] ** 2
    return Analogues(items[order], weights / max(weights.sum(), 1e-12))


def rates_like(
    learnt: Learnt, item: str, newcomers: Mapping[str, Integers], analogues: Analogues
) -> Floats:
    """(rows,). Weighted mean of what the analogues would sell where the new rows are.

    Args:
        learnt: from a panel.
        item: the static column that names items.
        newcomers: (rows,) each. Codes of the new rows; those of items are taken from analogues.
        analogues: at least one; items of the panel.
    """
    columns = item_columns(learnt.static, item)
    nothing = np.zeros(newcomers[item].size)
    total = nothing.copy()
    for code, weight in zip(analogues.items.tolist(), analogues.weights.tolist(), strict=True):
        like = int((learnt.static[item] == code).argmax())
        static = {
            name: np.full(codes.size, learnt.static[name][like]) if name in columns else codes
            for name, codes in newcomers.items()
        }
        total += weight * learnt.rates_of(static, nothing, nothing).expected
    return total
