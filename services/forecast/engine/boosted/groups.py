"""What series that share an attribute do together: their common momentum, season and promotions."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.boosted.history import LEAST, History, ratio

FEWEST = 4  # Series of a group, on average, that make a grouping worth it.
MOST_COLUMNS = 6  # Attributes that are looked at, the ones of the smallest groups first.


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way of putting series together, and the groups' running sums."""

    name: str
    codes: Integers  # (series,). The group of each series.
    units: Floats  # (groups, periods + 1). Units, relative to what each series usually sells.
    usual: Floats  # (groups, periods + 1). What it usually sells, in the same measure.
    promoted: Floats  # (groups, periods + ahead). Mean log multiplier.

    def over(self, group: Integers, start: Integers, stop: Integers) -> Floats:
        """Sales of ``group`` in columns start to stop, relative to usual; NaN where unknown."""
        last = self.units.shape[1] - 1
        a, b = np.clip(start, 0, last), np.clip(stop, 0, last)
        above = self.units[group, b] - self.units[group, a]
        below = self.usual[group, b] - self.usual[group, a]
        return ratio(above, np.where(start >= 0, below, 0.0))


def ways(static: Mapping[str, Integers], series: int) -> dict[str, Integers]:
    """Groupings by nothing, by each attribute, and by the pair that makes the smallest groups."""
    found = {"all": np.zeros(series, dtype=np.int64)}
    sizes = {name: int(np.unique(codes).size) for name, codes in static.items()}
    usable = [name for name, size in sizes.items() if 1 < size <= series / FEWEST]
    usable = sorted(usable, key=lambda name: (-sizes[name], name))[:MOST_COLUMNS]
    found |= {name: np.unique(static[name], return_inverse=True)[1] for name in usable}
    pairs = {}
    for one, other in combinations(usable, 2):
        both = np.unique(found[one] * sizes[other] + found[other], return_inverse=True)[1]
        groups = int(both.max()) + 1
        if max(sizes[one], sizes[other]) < groups <= series / FEWEST:
            pairs[f"{one}*{other}"] = both
    if pairs:
        finest = max(pairs, key=lambda name: (int(pairs[name].max()), name))
        found[finest] = pairs[finest]
    return found


class Sums:
    """Adds up groupings from blocks of series."""

    def __init__(self, codes: Mapping[str, Integers], usual_size: float) -> None:
        self._codes = codes
        self._size = usual_size
        self._sums: dict[str, tuple[Floats, Floats, Floats, Floats]] = {}

    def add(self, rows: slice, history: History, log_multiplier: NDArray[np.float32]) -> None:
        mean = history.sums[:, -1] / np.maximum(history.ordinaries[:, -1], LEAST)
        voice = 1.0 / (mean + self._size)  # Large series count for more, but not in proportion.
        usual = (mean * voice)[:, np.newaxis]
        parts = (
            history.units * voice[:, np.newaxis],
            history.ordinary * usual,
            log_multiplier * usual,
            usual,
        )
        for name, codes in self._codes.items():
            if name not in self._sums:
                groups = int(codes.max()) + 1
                self._sums[name] = tuple(np.zeros((groups, p.shape[1])) for p in parts)  # type: ignore[assignment] # Four of them.
            for total, part in zip(self._sums[name], parts, strict=True):
                np.add.at(total, codes[rows], part)

    def groupings(self) -> list[Grouping]:
        return [
            Grouping(
                name=name,
                codes=self._codes[name],
                units=_summed(units),
                usual=_summed(usual),
                promoted=logs / np.maximum(share, LEAST),
            )
            for name, (units, usual, logs, share) in self._sums.items()
        ]


def _summed(values: Floats) -> Floats:
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums
