"""Numbers that add up: from SKU and store to region and total, and back down for overrides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from services.forecast.engine.arrays import Floats, Integers

TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Levels of aggregation over the same series, each a partition of them.

    Levels may cross (styles and stores): each is summed from the series, so all agree exactly on
    what the series say. Nothing is reconciled from above: forecasts of aggregates that know less
    (of promotions, prices) made every level worse when tried (WRMSSE 0.44 against 0.70).
    """

    summing: Mapping[str, sparse.csr_array]  # (groups, series), 1 where a series is of a group.

    def level(self, name: str, values: Floats) -> Floats:
        """Sums by group: (groups, ...) of (series, ...)."""
        flat = values.reshape(values.shape[0], -1)
        summed = np.asarray(self.summing[name] @ flat)
        return summed.reshape(-1, *values.shape[1:])

    def levels(self, values: Floats) -> dict[str, Floats]:
        """Sums of every level."""
        return {name: self.level(name, values) for name in self.summing}

    def push_down(self, name: str, target: Floats, values: Floats) -> Floats:
        """Series that add up to ``target`` at a level, in the proportions of ``values``.

        Forecast proportions (Athanasopoulos, Ahmed, Hyndman 2009), period by period. A group whose
        series are all 0 in a period is divided equally. NaN in the target leaves a group as it is.

        Args:
            name: the level.
            target: (groups, ...). What each group's sum is to be; NaN where nothing was said.
            values: (series, ...). Not negative.
        """
        members = self.summing[name]
        codes = np.asarray(members.tocsc().indices)
        sums = self.level(name, values)
        counts = self.level(name, np.ones_like(values))
        share = np.where(
            sums[codes] > 0, values / np.where(sums > 0, sums, 1.0)[codes], 1.0 / counts[codes]
        )
        return np.where(np.isnan(target[codes]), values, share * target[codes])


def hierarchy(levels: Mapping[str, Integers]) -> Hierarchy:
    """A hierarchy of the given levels and the total.

    Args:
        levels: name to codes from 0, (series,): SKU, choice, style, category; store, region.
    """
    series = len(next(iter(levels.values())))
    partitions = {**levels, TOTAL: np.zeros(series, dtype=np.int64)}
    return Hierarchy({name: _summing(codes) for name, codes in partitions.items()})


def _summing(codes: Integers) -> sparse.csr_array:
    series = codes.size
    shape = (int(codes.max(initial=-1)) + 1, series)
    return sparse.csr_array((np.ones(series), (codes, np.arange(series))), shape=shape)


def crossed(parts: Sequence[Integers]) -> Integers:
    """Codes of the combinations that occur of several levels, such as category x store."""
    _, codes = np.unique(np.stack(parts), axis=1, return_inverse=True)
    return codes.reshape(-1).astype(np.int64)
