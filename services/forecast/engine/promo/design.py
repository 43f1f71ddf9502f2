"""The regressors of the response: a series' own terms, those of its siblings, those of the time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import seasons, terms
from services.forecast.engine.promo.columns import Closer, Column
from services.forecast.engine.promo.seasons import Calendar
from services.forecast.engine.promo.sums import by_code
from services.forecast.engine.promo.terms import Label, Recipe, Single

BLOCK_CELLS = 500_000  # Cells of the matrix that are held at once: 2 MB, which caches hold.
MEMORY = {Period.DAY: 0.985, Period.WEEK: 0.92, Period.MONTH: 0.8}
MOST_SIBLINGS = 6  # Static columns that make siblings.
MOST_ALIKE = 0.8  # Correlation of a series' promotions with its siblings'.
RECIPE_ROWS = 500
ECHOES = 2


@dataclass(frozen=True, slots=True)
class Siblings:
    """Strength of the promotions of all series that share a static code."""

    name: str
    codes: Integers  # (series,)
    sums: Single  # (codes, columns)
    counts: Integers  # (codes,)

    def others(self, rows: Integers, own: Single) -> Single:
        """Mean strength of the other series of the same code; 0 where there is none."""
        codes = self.codes[rows]
        rest = self.sums[codes] - own
        count = self.counts[codes][:, np.newaxis] - 1
        return np.where(count > 0, rest / np.maximum(count, 1), 0.0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Design:
    """Makes the regressors of any series, block by block: the whole would not fit in memory."""

    recipe: Recipe
    labels: tuple[Label, ...]  # Of all regressors: own, echoes, siblings, common.
    known: Mapping[str, Floats]  # (series, columns)
    common: Single  # (common regressors, columns)
    series: int
    weights: Floats | None = None  # (own terms,). Of the panel's response: make up the strength.
    siblings: tuple[Siblings, ...] = ()

    @property
    def width(self) -> int:
        return len(self.labels)

    @property
    def length(self) -> int:
        return int(self.common.shape[1])

    def of(self, rows: Integers) -> Single:
        """(rows, regressors, columns)."""
        found = np.empty((rows.size, self.width, self.length), np.float32)
        own, _ = self.recipe.planes({name: values[rows] for name, values in self.known.items()})
        if self.weights is not None:
            strength = weighted(own, self.weights)
            own += echoes(strength, self.recipe.memory)
            own += [group.others(rows, strength) for group in self.siblings]
        for index, plane in enumerate(own):
            found[:, index] = plane
        found[:, len(own) :] = self.common
        return found

    def blocks(self, rows: Integers | None = None) -> Iterator[Integers]:
        """``rows``, or those of all series, in parts that are handled together."""
        rows = np.arange(self.series) if rows is None else rows
        size = max(1, BLOCK_CELLS // max(1, self.width * self.length))
        for start in range(0, rows.size, size):
            yield rows[start : start + size]


def weighted(planes: list[Single], weights: Floats) -> Single:
    """Strength: the sum of own terms by the panel's coefficients."""
    found = np.zeros_like(planes[0])
    for plane, weight in zip(planes, weights, strict=True):
        found += np.float32(weight) * plane
    return found


def echoes(
    strength: Single, memory: float, last: Floats | None = None, lasting: Floats | None = None
) -> list[Single]:
    """What strength leaves behind: in the period before, and in all before it, discounted.

    ``last`` and ``lasting``, (series,), are the two before the first column; 0 if not given.
    """
    before = np.zeros_like(strength)
    before[:, 1:] = strength[:, :-1]
    if last is not None:
        before[:, 0] = last
    start = np.zeros(len(strength)) if lasting is None else lasting
    followed, _ = terms.followed(strength.astype(np.float64), memory, start)
    return [before, followed.astype(np.float32)]


def build(
    panel: Panel,
    usable: Sequence[Column],
    by: Sequence[Closer],
    origin: int,
    calendar: Calendar,
) -> Design:
    """The design of own and common terms; what depends on values is judged at ``origin``.

    ``by`` are the closers among the known columns.
    """
    rows = slice(None, None, max(1, panel.series // RECIPE_ROWS))
    past = {name: values[rows, :origin] for name, values in panel.known.items()}
    recipe = terms.recipe(usable, past, MEMORY[panel.period])
    recipe = replace(recipe, closers=tuple(by))
    known = {name: panel.known[name] for name in recipe.sources}
    shared = seasons.terms(panel.period, panel.dates, origin, calendar)
    common = np.array([values for _, values in shared], np.float32)
    labels = (*recipe.labels(), *(label for label, _ in shared))
    common = common.reshape(len(shared), panel.dates.size)
    return Design(recipe, labels, known, common, panel.series)


def with_echoes(design: Design, panel: Panel, weights: Floats, origin: int) -> Design:
    """Adds what past promotions, and those of siblings, do. ``weights`` are those of own terms.

    Which siblings can be told apart is judged by what was known before column ``origin``.
    """
    own = len(design.recipe.labels())
    echoing = replace(design, weights=weights)
    groups = [group for group in _siblings(echoing, panel) if _told_apart(echoing, group, origin)]
    labels = [Label(name, "echo", "promotion") for name in ("before", "lasting")]
    labels += [
        Label(f"siblings:{each.name}", f"siblings:{each.name}", "siblings") for each in groups
    ]
    labelled = (*design.labels[:own], *labels, *design.labels[own:])
    return replace(echoing, labels=labelled, siblings=tuple(groups))


def _siblings(design: Design, panel: Panel) -> list[Siblings]:
    groups = _sibling_groups(panel)
    sums = {
        name: np.zeros((int(codes.max()) + 1, design.length), np.float32)
        for name, codes in groups.items()
    }
    for rows in design.blocks():
        strength = _strength(design, rows)
        for name, codes in groups.items():
            present, added = by_code(strength, codes[rows])
            sums[name][present] += added
    return [Siblings(name, codes, sums[name], np.bincount(codes)) for name, codes in groups.items()]


def _told_apart(design: Design, group: Siblings, origin: int) -> bool:
    """Whether the promotions of a series and of its siblings can be told apart.

    Where all of a style are promoted together, its siblings' promotions would take the effect of
    the series' own, and nobody could say what one without the other would do.
    """
    rows = np.arange(0, design.series, max(1, design.series // RECIPE_ROWS))
    own = _strength(design, rows)
    others = group.others(rows, own)
    own, others = own[:, :origin], others[:, :origin]
    own, others = (each - each.mean(axis=1, keepdims=True) for each in (own, others))
    scale = float(np.sqrt((own**2).sum() * (others**2).sum()))
    return scale == 0 or float((own * others).sum()) <= MOST_ALIKE * scale


def _strength(design: Design, rows: Integers) -> Single:
    """(rows, columns). Of the promotions of series."""
    assert design.weights is not None  # noqa: S101  # Promotions have been weighed.
    known = {name: values[rows] for name, values in design.known.items()}
    planes, _ = design.recipe.planes(known)
    return weighted(planes, design.weights)


def _sibling_groups(panel: Panel) -> dict[str, Integers]:
    """Static columns that put series together, but not all of them, nor hardly any."""
    counts = {name: int(np.unique(codes).size) for name, codes in panel.static.items()}
    useful = [name for name, count in counts.items() if 1 < count <= panel.series / 2]
    useful.sort(key=lambda name: (-counts[name], name))
    return {name: panel.static[name] for name in sorted(useful[:MOST_SIBLINGS])}
