"""What groups of series add up to: found by shards, put together when all of them are done.

Quantiles cannot be added. The paths of a simulation can.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats
from services.forecast.shards.data import packed, unpacked
from services.forecast.shards.figures import LEVELS

Singles = NDArray[np.float32]

TOTAL = "total"
PRODUCT = "product"
"""The one level whose groups are whole in a shard."""
MOST_CELLS_IN_ALL = 200_000
"""Groups x periods of a level, of all shards together: 160 MB. A level of more is left out."""
BLOCK = 256  # Groups whose quantiles are taken at once.
MEANS, PATHS, SPREADS = "means.", "paths.", "spreads."


@dataclass(frozen=True, slots=True)
class Sums:
    """Of means, which add up exactly, and of paths. By level, and there by code."""

    means: Mapping[str, Floats]  # (groups, ahead).
    paths: Mapping[str, Singles]  # (draws, groups, ahead). Of levels that go across shards.
    spreads: Mapping[str, Floats]  # As `spread_of` has them. Of levels that do not.

    def to_bytes(self) -> bytes:
        parts = ((MEANS, self.means), (PATHS, self.paths), (SPREADS, self.spreads))
        return packed({kind + name: each for kind, part in parts for name, each in part.items()})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Sums":
        found = unpacked(data)
        kinds = (MEANS, PATHS, SPREADS)
        return cls(
            *(
                {name[len(kind) :]: each for name, each in found.items() if name.startswith(kind)}
                for kind in kinds
            )
        )


@dataclass(frozen=True, slots=True)
class Group:
    """What a group of series adds up to."""

    level: str
    name: str  # Empty for series of which it is not known.
    mean: Floats  # (ahead,).
    spread: Floats  # (3, ahead + 1), as `spread_of` has it.


def spread_of(paths: Singles | Floats) -> Floats:
    """P10, P50, P90 of each period and, last, of all together: (3, groups, ahead + 1)."""
    _, groups, ahead = paths.shape
    found = np.zeros((len(LEVELS), groups, ahead + 1))
    for start in range(0, groups, BLOCK):
        part = paths[:, start : start + BLOCK].astype(np.float64)
        whole = np.concatenate([part, part.sum(axis=2, keepdims=True)], axis=2)
        found[:, start : start + BLOCK] = np.quantile(whole, LEVELS, axis=0)
    return found


class Gathered:
    """Adds up the sums of shards. In the order of the shards, the same gives the same."""

    def __init__(self) -> None:
        self._means: dict[str, dict[str, Floats]] = {}
        self._paths: dict[str, dict[str, Floats]] = {}
        self._whole: list[Group] = []
        self._levels: set[str] | None = None

    def add(self, packed: bytes, names: Mapping[str, Sequence[str]]) -> None:
        """Adds the packed `Sums` of a shard. ``names`` say what its codes mean, by level."""
        sums = Sums.from_bytes(packed)
        levels = set(sums.paths)
        self._levels = levels if self._levels is None else self._levels & levels
        for level in levels:
            own = (TOTAL,) if level == TOTAL else names[level]
            means = self._means.setdefault(level, {})
            paths = self._paths.setdefault(level, {})
            for code, name in enumerate(own):
                means[name] = means.get(name, 0.0) + sums.means[level][code]
                paths[name] = paths.get(name, 0.0) + sums.paths[level][:, code].astype(np.float64)
            if len(means) * sums.means[level].shape[1] > MOST_CELLS_IN_ALL:
                self._levels.discard(level)
        for level, spread in sums.spreads.items():
            for code, name in enumerate(names[level]):
                mean = sums.means[level][code]
                self._whole.append(Group(level, name, mean, spread[:, code]))

    def groups(self) -> Iterator[Group]:
        """What all shards together add up to. A level that one of them lacks is left out."""
        yield from self._whole
        for level in sorted(self._levels or ()):
            named = sorted(self._means[level])
            for start in range(0, len(named), BLOCK):
                block = named[start : start + BLOCK]
                spread = spread_of(np.stack([self._paths[level][name] for name in block], axis=1))
                for at, name in enumerate(block):
                    yield Group(level, name, self._means[level][name], spread[:, at])
