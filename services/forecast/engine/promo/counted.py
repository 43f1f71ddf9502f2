"""How units answer to a series' own plan, learnt on the scale of units.

`response` learns from logarithms of units and an offset. That serves forecasts, but of a series
that sells one unit a week it hides most of what a promotion does: log(units + 1) hardly moves. Here
units are counts whose mean is

    mean = base x exp(level + drift x time + season + own terms),

fitted by quasi-likelihood (variance mean + `NOISE` mean^2), which is unbiased however small the
mean. Each group of series has a level and a drift of its own in every quarter of a year, so that a
markdown of what fades is not blamed for the fading. Series that are promoted together, as the sizes
of one style are, make one group: the drift of a single slow seller could not be told.

Own terms have one coefficient for the panel, and a gain for each group, drawn towards 1. Prices act
by a constant elasticity, which says something of depths and prices that have not been seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.period import Period
from services.forecast.engine.promo.columns import Kind
from services.forecast.engine.promo.counts import Spans, fit, gains
from services.forecast.engine.promo.design import Design
from services.forecast.engine.promo.history import History
from services.forecast.engine.promo.sums import by_code
from services.forecast.engine.promo.terms import Recipe, Single

SPAN = {Period.DAY: 91, Period.WEEK: 13, Period.MONTH: 12}  # Columns with one level and drift.
MOST_SPANS = 8
ALIKE = 0.8  # Correlation of a series' own terms with those of its group, to be added up.
DOUBLE = 0.98  # Correlation with a price, above which a term is that price said twice.
ALIKE_ROWS = 500
MOST_CELLS = 1_000_000  # Terms x columns x groups that are held at once: 8 MB.
BLOCK_CELLS = 6_000_000
RIDGE = 1.0  # Inverse variance of coefficients before anything is known.
PRICE_RIDGE = 0.25  # The same of elasticities, which are larger numbers.


@dataclass(frozen=True, slots=True)
class Answer:
    """What own terms do to the logarithm of units."""

    coefficients: Floats  # (own terms,)
    gains: Floats  # (series,)

    def of(self, rows: Integers) -> Floats:
        """(rows, own terms). Coefficients of series."""
        return self.gains[rows, np.newaxis] * self.coefficients


def learn(
    design: Design, history: History, static: Mapping[str, Integers], origin: int, rows: Integers
) -> Answer:
    """The answer of ``rows`` as far as was seen before column ``origin``; gains are in their order.

    Args:
        design: of the panel that ``history`` and ``static`` are of.
        history: reaches to ``origin`` at least.
        static: codes of all series by column, of which one may say what is promoted together.
        origin: columns seen.
        rows: series, ascending.
    """
    own = len(design.recipe.labels())
    first = max(0, origin - MOST_SPANS * SPAN[history.period])
    if not own or not history.units[rows, first:origin].any():
        return Answer(np.zeros(own), np.ones(rows.size))
    groups = _together(design, static, origin, rows)
    count = int(groups.max()) + 1
    width = own + design.common.shape[0]
    parts = -(-count * width * (origin - first) // MOST_CELLS)
    found = np.ones(count)
    coefficients = np.zeros(0)
    for part in range(parts):
        members = np.flatnonzero(groups % parts == part)
        spans = _spans(design, history, (first, origin), rows[members], groups[members] // parts)
        if not part:
            alive = _alive(design.recipe, spans.x[..., :own])
            coefficients = fit(spans, alive, _ridges(design))
        found[part::parts] = gains(spans, coefficients, own)
    return Answer(coefficients[:own], found[groups])


def _ridges(design: Design) -> Floats:
    """(own and common terms,)."""
    part = [label.part for label in design.recipe.labels()]
    ridges = [PRICE_RIDGE if each == "price" else RIDGE for each in part]
    return np.array(ridges + [RIDGE] * design.common.shape[0])


def _together(
    design: Design, static: Mapping[str, Integers], origin: int, rows: Integers
) -> Integers:
    """(rows,). Groups of series, from 0: the largest whose own terms move together."""
    some = np.arange(0, rows.size, max(1, rows.size // ALIKE_ROWS))
    x = _own(design, rows[some], (0, origin)).transpose(1, 0, 2)
    x -= x.mean(axis=2, keepdims=True)
    x /= np.maximum(x.std(axis=(0, 2), keepdims=True), 1e-9)
    for name in sorted(static, key=lambda name: (np.unique(static[name][rows]).size, name)):
        codes = np.unique(static[name][rows], return_inverse=True)[1]
        if _alike(x, codes[some]):
            return np.asarray(codes)
    return np.arange(rows.size)


def _alike(x: Single, codes: Integers) -> bool:
    """Whether each row of (rows, terms, columns) goes with the others of its code."""
    present, sums = by_code(x, codes)
    rest = np.maximum(np.bincount(codes)[codes] - 1, 1).astype(np.float32)
    others = (sums[np.searchsorted(present, codes)] - x) / rest[:, np.newaxis, np.newaxis]
    scale = float(np.sqrt((x**2).sum() * (others**2).sum()))
    return scale > 0 and float((x * others).sum()) >= ALIKE * scale


def _own(design: Design, rows: Integers, between: tuple[int, int]) -> Single:
    """(own terms, rows, columns)."""
    known = {name: values[rows, : between[1]] for name, values in design.known.items()}
    planes, _ = design.recipe.planes(known)
    return np.stack(planes)[..., between[0] :]


def _spans(
    design: Design, history: History, between: tuple[int, int], rows: Integers, groups: Integers
) -> Spans:
    """Units and terms of ``rows``, added up by group: terms by what each series usually sells."""
    columns = slice(*between)
    count, length = int(groups.max()) + 1, between[1] - between[0]
    own = len(design.recipe.labels())
    units, base = np.zeros((count, length)), np.zeros((count, length))
    x = np.zeros((count, length, own))
    size = max(1, BLOCK_CELLS // (own * between[1]))
    for start in range(0, rows.size, size):
        block, codes = rows[start : start + size], groups[start : start + size]
        sold, shown = history.units[block, columns], history.exposure[block, columns]
        usual = shown * (sold.sum(axis=1) / np.maximum(shown.sum(axis=1), 1e-9))[:, np.newaxis]
        terms = _own(design, block, between) * usual
        _add(units, codes, sold)
        _add(base, codes, usual)
        _add(x, codes, terms.transpose(1, 2, 0))
    x /= np.maximum(base, 1e-9)[..., np.newaxis]
    common = np.broadcast_to(design.common[:, columns].T, (count, length, len(design.common)))
    span = SPAN[history.period]
    return Spans.of(np.concatenate((x, common), axis=2), units, base, span)


def _add(sums: Floats, codes: Integers, values: Floats) -> None:
    """Adds to the rows ``codes`` of ``sums``, of which one may occur several times."""
    if np.unique(codes).size == codes.size:
        sums[codes] += values
    else:
        present, added = by_code(values, codes)
        sums[present] += added


def _alive(recipe: Recipe, x: Floats) -> Booleans:
    """(own terms,). Which act: no squares of prices, no products, nothing that is said twice.

    ``x`` is (spans, columns, own terms). Where a discount always comes with the price it makes, the
    price alone acts: else a price that is tried without a discount would do but a part.
    """
    labels = recipe.labels()
    ratios = {column.name for column in recipe.columns if column.kind is Kind.RATIO}
    alive = np.ones(len(labels), np.bool_)
    alive[len(labels) - len(recipe.products) :] = False
    alive &= [label.part != "price" or not label.name.endswith(":squared") for label in labels]
    inner = (x - x.mean(axis=1, keepdims=True)).reshape(-1, x.shape[2])
    scale = np.maximum(np.sqrt((inner**2).sum(axis=0)), 1e-9)
    for index, label in enumerate(labels):
        if label.source in ratios and label.name.endswith(":ratio"):
            alike = np.abs(inner.T @ inner[:, index]) >= DOUBLE * scale * scale[index]
            alive &= ~alike | [other.source in ratios for other in labels]
    return alive
