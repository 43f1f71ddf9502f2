"""The terms of the log-linear response that a series' own columns give.

Every term is 0 where nothing is out of the ordinary, and reads nothing later than its own column
of the calendar, so that one set of terms serves every origin.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats
from services.forecast.engine.promo.columns import Closer, Column, Kind

Single = NDArray[np.float32]
MOST_PRODUCTS = 10
SUPPORT = 0.0005  # Share of the cells in which a product must be at work.
LINEAR_LIMIT = 5.0  # Standard deviations.
DEEPEST_SHARE = 0.95
SHORT = 64  # Columns over which a usual level is followed by one product of matrices.
RATIO_LIMIT = 3.0  # Logarithm: no price is taken for a twentieth of usual.


@dataclass(frozen=True, slots=True)
class Label:
    """What a regressor is called, where it comes from, and which part of a forecast it explains."""

    name: str
    source: str  # The column it is made of, or what stands for one: `season`, `siblings:store`.
    part: str  # promotion, price, siblings, season, event.


@dataclass(frozen=True, slots=True)
class Usual:
    """Where the usual level of a column stands. Both (series,), logarithms."""

    mean: Floats
    first: Floats


@dataclass(frozen=True, slots=True)
class Recipe:
    """How terms are made of columns."""

    columns: tuple[Column, ...]
    products: tuple[tuple[int, int], ...]  # Of terms, by their place among the single ones.
    memory: float  # Discount with which the usual level of a column is followed.
    closers: tuple[Closer, ...] = ()  # Say when nothing is sold; they have no term.

    @property
    def sources(self) -> tuple[str, ...]:
        """Known columns that are read."""
        names = [column.name for column in self.columns]
        names += [column.over for column in self.columns if column.over]
        names += [closer.name for closer in self.closers]
        return tuple(dict.fromkeys(names))

    def labels(self) -> list[Label]:
        single = [label for column in self.columns for label in _labels(column)]
        return single + [
            Label(f"{single[a].name}*{single[b].name}", single[a].source, "promotion")
            for a, b in self.products
        ]

    def planes(
        self, known: Mapping[str, Floats], usual: Mapping[str, Usual] | None = None
    ) -> tuple[list[Single], dict[str, Usual]]:
        """Terms of (series, columns) each, and where usual levels stand after the last column.

        ``known`` holds (series, columns); ``usual`` where they stood before the first column.
        """
        found: list[Single] = []
        after: dict[str, Usual] = {}
        for column in self.columns:
            values = known[column.name]
            if column.over:
                found += _curved(_logs(values) - _logs(known[column.over]))
            elif column.kind is Kind.RATIO:
                before = None if usual is None else usual[column.name]
                planes, after[column.name] = _by_usual(values, self.memory, before)
                found += planes
            else:
                found += _SIMPLE[column.kind](column, values)
        return found + [found[a] * found[b] for a, b in self.products], after


def recipe(columns: Sequence[Column], past: Mapping[str, Floats], memory: float) -> Recipe:
    """The recipe of ``columns``; ``past`` says which products have enough to learn from.

    Products are those of promotion terms that are flags with each other, and with price ratios.
    """
    single = Recipe(tuple(columns), (), memory)
    labels, (planes, _) = single.labels(), single.planes(past)
    flags = [i for i, plane in enumerate(planes) if _is_flag(plane, labels[i])]
    ratios = [i for i, label in enumerate(labels) if label.name.endswith(":ratio")]
    pairs = [(a, b) for i, a in enumerate(flags) for b in flags[i + 1 :]]
    pairs = [pair for pair in pairs if labels[pair[0]].source != labels[pair[1]].source]
    pairs += [(a, b) for a in flags for b in ratios]
    support = {(a, b): float(np.mean((planes[a] != 0) & (planes[b] != 0))) for a, b in pairs}
    best = sorted((pair for pair in pairs if support[pair] >= SUPPORT), key=lambda p: -support[p])
    return Recipe(tuple(columns), tuple(sorted(best[:MOST_PRODUCTS])), memory)


def _is_flag(plane: Single, label: Label) -> bool:
    return label.part == "promotion" and bool(((plane == 0) | (plane == 1)).all())


def _labels(column: Column) -> list[Label]:
    name = column.name
    if column.kind is Kind.CODE:
        return [Label(f"{name}={code:g}", name, "promotion") for code in column.codes]
    if column.over or column.kind is Kind.SHARE:
        endings = [":ratio", ":squared"]
    elif column.kind is Kind.RATIO:
        endings = [":ratio", ":squared", ":usual"]
    else:
        part = "promotion"
        return [Label(name + ending, name, part) for ending in _ENDINGS[column.kind]]
    return [Label(name + ending, name, "price") for ending in endings]


def _logs(values: Floats) -> Floats:
    return np.log(np.where(values > 0, values, np.nan))


def _curved(ratio: Floats) -> list[Single]:
    plane = _filled(ratio).astype(np.float32)
    np.clip(plane, -RATIO_LIMIT, RATIO_LIMIT, out=plane)
    return [plane, plane * np.abs(plane)]


def _by_usual(values: Floats, memory: float, before: Usual | None) -> tuple[list[Single], Usual]:
    logs = _logs(values)
    if before is None:
        first = first_known(logs)
        before = Usual(first, first)
    usual, after = followed(logs, memory, before.mean)
    slow = (usual - before.first[:, np.newaxis]).astype(np.float32)
    return [*_curved(logs - usual), slow], Usual(after, before.first)


def first_known(values: Floats) -> Floats:
    """(series,). The first finite value of each row, 0 where there is none."""
    finite = np.isfinite(values)
    return np.where(
        finite.any(axis=1), values[np.arange(values.shape[0]), finite.argmax(axis=1)], 0.0
    )


def followed(values: Floats, memory: float, start: Floats) -> tuple[Floats, Floats]:
    """Exponentially discounted mean of what came before each column, and after the last one.

    Unknown cells leave the mean as it is.
    """
    known = np.isfinite(values)
    if known.all():
        return _followed(values, memory, start)
    seen = np.cumsum(known, axis=1)
    packed = np.zeros(values.shape)  # What is known, one beside the other.
    packed[np.arange(values.shape[1]) < seen[:, -1:]] = values[known]
    means, last = _followed(packed, memory, start)
    means = np.concatenate((means, last[:, np.newaxis]), axis=1)
    found = np.take_along_axis(means, np.pad(seen, ((0, 0), (1, 0))), axis=1)
    return found[:, :-1], found[:, -1]


def _followed(values: Floats, memory: float, start: Floats) -> tuple[Floats, Floats]:
    """`followed` where all is known: by products of matrices."""
    found: Floats = np.empty(values.shape)
    for first in range(0, values.shape[1], SHORT):
        part = values[:, first : first + SHORT]
        fading, kept = _fading(part.shape[1], memory)
        means = part @ fading + start[:, np.newaxis] * kept
        found[:, first : first + SHORT], start = means[:, :-1], means[:, -1]
    return found, start


@lru_cache
def _fading(length: int, memory: float) -> tuple[Floats, Floats]:
    """Weights of (values, means) and of the start in each mean, for `_followed` in one step."""
    ages = np.arange(length + 1) - np.arange(length)[:, np.newaxis] - 1
    kept: Floats = np.power(memory, np.arange(length + 1.0))
    weights: Floats = np.where(ages >= 0, (1 - memory) * kept[ages.clip(0)], 0.0)
    return weights, kept


def _filled(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, 0.0)


def _flag(column: Column, values: Floats) -> list[Single]:
    return [(np.isfinite(values) & (values != column.low)).astype(np.float32)]


def _code(column: Column, values: Floats) -> list[Single]:
    return list((values == np.array(column.codes)[:, np.newaxis, np.newaxis]).astype(np.float32))


def _amount(column: Column, values: Floats) -> list[Single]:
    return [np.log1p(_filled(values).clip(0.0) / column.scale).astype(np.float32)]


def _share(_: Column, values: Floats) -> list[Single]:
    return _curved(np.log1p(-_filled(values).clip(0.0, DEEPEST_SHARE)))


def _linear(column: Column, values: Floats) -> list[Single]:
    away = _filled((values - column.low) / column.scale).clip(-LINEAR_LIMIT, LINEAR_LIMIT)
    plane = away.astype(np.float32)
    return [plane, plane**2]


_ENDINGS = {Kind.FLAG: [""], Kind.AMOUNT: [""], Kind.LINEAR: ["", ":squared"]}
_SIMPLE: dict[Kind, Callable[[Column, Floats], list[Single]]] = {
    Kind.FLAG: _flag,
    Kind.CODE: _code,
    Kind.AMOUNT: _amount,
    Kind.SHARE: _share,
    Kind.LINEAR: _linear,
}
