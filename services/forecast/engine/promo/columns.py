"""What each known column is, told from its values alone.

A column enters the response in the way its values suggest: two values make a flag, a few whole
numbers are codes, positive numbers act by their ratio, others by their distance from usual.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.panel import Panel

MOST_CODES = 8  # Distinct whole numbers that are still taken for codes, not for amounts.
RARE_SHARE = 0.0005  # Codes seen more rarely than this have no term of their own.
EQUAL_SHARE = 0.1  # Of the cells in which a price and its regular price agree, at least.
NEAR = 1e-3  # Log ratio below which two prices agree.
MOVING_SHARE = 0.002  # Of cells in which a column must differ from its series' usual value.
SAMPLE_CELLS = 200_000


class Kind(Enum):
    FLAG = "flag"
    CODE = "code"
    RATIO = "ratio"  # Positive: acts by the logarithm of its ratio to usual.
    AMOUNT = "amount"  # Not negative, often 0: acts by log1p of its ratio to what is typical.
    SHARE = "share"  # Between 0 and 1, often 0: -log(1 - share), as a discount acts on a price.
    LINEAR = "linear"  # Signed: acts by its standardised distance from usual.


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    low: float = 0.0  # FLAG: the value that is off. LINEAR: the mean.
    scale: float = 1.0  # LINEAR: standard deviation. AMOUNT: the median of what is positive.
    codes: tuple[float, ...] = ()  # CODE: values with a term of their own.
    over: str = ""  # RATIO: the column of regular prices that this one is divided by.


def read(panel: Panel, origin: int, ahead: int) -> list[Column]:
    """The usable columns of ``panel``, judged by what was known before column ``origin``.

    A column is left out that does not move inside any series, or is unknown in the last ``ahead``
    columns of the panel, for which forecasts are made.
    """
    found = []
    for name in sorted(panel.known):
        values = panel.known[name]
        if not _known_ahead(values, panel.dates.size - ahead):
            continue
        column = _told(name, values[:, :origin])
        if column is not None:
            found.append(column)
    return _paired(found, panel.known, origin)


def _known_ahead(values: Floats, origin: int) -> bool:
    past = np.isfinite(values[:, :origin]).mean() if origin else 0.0
    future = np.isfinite(values[:, origin:]).mean() if values.shape[1] > origin else 0.0
    return bool(future > 0 and future >= past / 2)


def _sample(values: Floats) -> Floats:
    step = max(1, values.size // SAMPLE_CELLS)
    rows = values[:: max(1, int(np.sqrt(step)))]
    return rows[:, :: max(1, step // max(1, int(np.sqrt(step))))]


def _told(name: str, past: Floats) -> Column | None:
    seen = past[np.isfinite(past)]
    if seen.size == 0 or not _moves(past):
        return None
    sample = _sample(past)
    distinct, counts = np.unique(sample[np.isfinite(sample)], return_counts=True)
    if distinct.size < 2:
        distinct, counts = np.unique(seen, return_counts=True)
    if distinct.size == 2:
        usual = float(distinct[counts.argmax()]) if set(distinct) != {0.0, 1.0} else 0.0
        return Column(name, Kind.FLAG, low=usual)
    whole = bool(np.all(distinct == np.round(distinct)))
    if whole and distinct.size <= MOST_CODES:
        common = distinct[counts.argmax()]
        kept = [
            float(value)
            for value, count in zip(distinct, counts, strict=True)
            if value != common and count >= RARE_SHARE * counts.sum()
        ]
        return Column(name, Kind.CODE, codes=tuple(kept)) if kept else None
    low, high = float(seen.min()), float(seen.max())
    if low > 0:
        return Column(name, Kind.RATIO)
    if low == 0 and high < 1:
        return Column(name, Kind.SHARE)
    if low == 0:
        return Column(name, Kind.AMOUNT, scale=float(np.median(seen[seen > 0])))
    return Column(name, Kind.LINEAR, low=float(seen.mean()), scale=float(seen.std()) or 1.0)


def _moves(past: Floats) -> bool:
    """Whether the column changes from one period to the next often enough to be learned from."""
    if past.shape[1] < 2:
        return False
    both = np.isfinite(past[:, 1:]) & np.isfinite(past[:, :-1])
    changed = both & (past[:, 1:] != past[:, :-1])
    rare = np.isfinite(past).any(axis=1) & ~np.isfinite(past).all(axis=1)  # Comes and goes.
    return bool(changed.sum() > MOVING_SHARE * max(int(both.sum()), 1)) or bool(
        rare.mean() > 0.5 and changed.any()
    )


def _paired(columns: list[Column], known: Mapping[str, Floats], origin: int) -> list[Column]:
    """Divides a price by its regular price where two columns clearly are such a pair.

    They are when they agree in a fair share of the cells, and where they do not, the one is below
    the other nine times in ten.
    """
    ratios = [column for column in columns if column.kind is Kind.RATIO]
    over: dict[str, str] = {}
    for price in ratios:
        for regular in ratios:
            if price is regular or regular.name in over or price.name in over:
                continue
            if _is_below(known[price.name][:, :origin], known[regular.name][:, :origin]):
                over[price.name] = regular.name
    return [
        Column(column.name, column.kind, over=over[column.name]) if column.name in over else column
        for column in columns
    ]


def _is_below(price: Floats, regular: Floats) -> bool:
    price, regular = _sample(price), _sample(regular)
    both: Booleans = np.isfinite(price) & np.isfinite(regular)
    if not both.any():
        return False
    ratio = np.log(price[both] / regular[both])
    differs = np.abs(ratio) > NEAR
    agreement = 1 - float(differs.mean())
    if agreement < EQUAL_SHARE or not differs.any():
        return bool(differs.any() and False)
    return bool((ratio[differs] < 0).mean() > 0.9)  # noqa: PLR2004  # As the docstring says.
