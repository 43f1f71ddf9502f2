"""The regressors of the response: a series' own terms, those of its siblings, those of the time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import columns, seasons, terms
from services.forecast.engine.promo.terms import Plane, Term

BLOCK_CELLS = 4_000_000  # Cells of the matrix that is held at once.
MEMORY = {Period.DAY: 0.98, Period.WEEK: 0.9, Period.MONTH: 0.8}


@dataclass(frozen=True, slots=True)
class Design:
    own: tuple[Term, ...]  # Differ from series to series.
    names: tuple[str, ...]  # Of all regressors, own ones first.
    parts: tuple[str, ...]
    common: NDArray[np.float32]  # (regressors - own, columns). The same for all series.
    series: int

    @property
    def width(self) -> int:
        return len(self.names)

    @property
    def length(self) -> int:
        return int(self.common.shape[1])

    def block(self, rows: slice) -> NDArray[np.float32]:
        """(series of ``rows``, regressors, columns)."""
        count = len(range(*rows.indices(self.series)))
        found = np.empty((count, self.width, self.length), np.float32)
        for index, term in enumerate(self.own):
            found[:, index] = term.values[rows]
        found[:, len(self.own) :] = self.common
        return found

    def blocks(self) -> Iterator[slice]:
        size = max(1, BLOCK_CELLS // max(1, self.width * self.length))
        for start in range(0, self.series, size):
            yield slice(start, min(start + size, self.series))

    def with_own(self, more: list[Term]) -> "Design":
        own = (*self.own, *more)
        shared = len(self.own)
        return Design(
            own,
            (*(term.name for term in own), *self.names[shared:]),
            (*(term.part for term in own), *self.parts[shared:]),
            self.common,
            self.series,
        )


def build(panel: Panel, origin: int, ahead: int) -> Design:
    """The design of all columns of ``panel``; what depends on values was judged at ``origin``."""
    usable = columns.read(panel, origin, ahead)
    own = terms.of_columns(panel, usable, MEMORY[panel.period])
    own += terms.products(own, origin)
    shared = seasons.terms(panel.period, panel.dates, origin)
    common = np.array([values for _, _, values in shared], np.float32)
    return Design(
        tuple(own),
        (*(term.name for term in own), *(name for name, _, _ in shared)),
        (*(term.part for term in own), *(part for _, part, _ in shared)),
        common.reshape(len(shared), panel.dates.size),
        panel.series,
    )


def echoes(strength: Plane, groups: list[tuple[str, Integers]]) -> list[Term]:
    """Terms made of the strength of promotions: the period before, and that of the siblings."""
    before = np.zeros_like(strength)
    before[:, 1:] = strength[:, :-1]
    found = [Term("before", "promotion", before)]
    for name, codes in groups:
        found.append(Term(f"siblings:{name}", "siblings", others(strength, codes)))
    return found


def others(values: Plane, codes: Integers) -> Plane:
    """Mean of ``values`` over the other series of the same code; 0 where there is no other."""
    size = int(codes.max()) + 1
    sums = np.zeros((size, values.shape[1]), np.float32)
    np.add.at(sums, codes, values)
    counts = np.bincount(codes, minlength=size)[codes][:, np.newaxis]
    rest = sums[codes] - values
    return np.where(counts > 1, rest / np.maximum(counts - 1, 1), 0.0).astype(np.float32)
