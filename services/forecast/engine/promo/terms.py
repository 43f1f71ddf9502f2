"""The terms of the log-linear response that a series' own columns give.

Every term is 0 where nothing is out of the ordinary, and reads nothing later than its own column
of the calendar, so that one set of terms serves every origin.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.panel import Panel
from services.forecast.engine.promo.columns import Column, Kind

Plane = NDArray[np.float32]  # (series, columns).
MOST_PAIRS = 10  # Products of two terms, at most.
FEWEST_CELLS = 100  # In which a product must be at work.


@dataclass(frozen=True, slots=True)
class Term:
    """One regressor, and which part of an explanation its effect belongs to."""

    name: str
    part: str  # promotion, price, event, season, ...
    values: Plane


def of_columns(panel: Panel, columns: Sequence[Column], memory: float) -> list[Term]:
    """Terms of all ``columns``; ``memory`` is the discount with which a usual level is followed."""
    single: list[Term] = []
    for column in columns:
        values = panel.known[column.name]
        if column.over:
            single += _against(column, values, panel.known[column.over])
        else:
            single += _KINDS[column.kind](column, values, memory)
    return single


def products(terms: Sequence[Term], origin: int) -> list[Term]:
    """Products of flags with each other and with price terms, where there is enough to learn."""
    flags = [term for term in terms if term.part == "promotion" and _is_flag(term.values)]
    prices = [term for term in terms if term.name.endswith(":ratio")]
    pairs = [(a, b) for i, a in enumerate(flags) for b in flags[i + 1 :]]
    pairs += [(a, b) for a in flags for b in prices]
    found = []
    for a, b in pairs[: 4 * MOST_PAIRS]:
        values = a.values * b.values
        if np.count_nonzero(values[:, :origin]) >= FEWEST_CELLS:
            found.append(Term(f"{a.name}*{b.name}", "promotion", values))
        if len(found) == MOST_PAIRS:
            break
    return found


def _is_flag(values: Plane) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _flag(column: Column, values: np.ndarray, _: float) -> list[Term]:
    on = np.isfinite(values) & (values != column.low)
    return [Term(column.name, "promotion", on.astype(np.float32))]


def _code(column: Column, values: np.ndarray, _: float) -> list[Term]:
    return [
        Term(f"{column.name}={code:g}", "promotion", (values == code).astype(np.float32))
        for code in column.codes
    ]


def _against(column: Column, price: np.ndarray, regular: np.ndarray) -> list[Term]:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(price / regular).astype(np.float32)
    ratio = np.nan_to_num(ratio, nan=0.0, posinf=0.0, neginf=0.0)
    return _curved(column, ratio)


def _ratio(column: Column, values: np.ndarray, memory: float) -> list[Term]:
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(values)
    usual = followed(logs, memory)
    away = np.nan_to_num(logs - usual, nan=0.0).astype(np.float32)
    first = usual[:, :1]
    slow = np.nan_to_num(usual - first, nan=0.0).astype(np.float32)
    return [*_curved(column, away), Term(f"{column.name}:usual", "price", slow)]


def _curved(column: Column, ratio: Plane) -> list[Term]:
    return [
        Term(f"{column.name}:ratio", "price", ratio),
        Term(f"{column.name}:squared", "price", ratio * np.abs(ratio)),
    ]


def _amount(column: Column, values: np.ndarray, _: float) -> list[Term]:
    known = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return [Term(column.name, "promotion", np.log1p(known / column.scale).astype(np.float32))]


def _share(column: Column, values: np.ndarray, _: float) -> list[Term]:
    known = np.nan_to_num(values, nan=0.0).clip(0.0, 0.95)
    return _curved(column, (-np.log1p(-known)).astype(np.float32))


def _linear(column: Column, values: np.ndarray, _: float) -> list[Term]:
    away = np.nan_to_num((values - column.low) / column.scale, nan=0.0, posinf=0.0, neginf=0.0)
    away = away.clip(-5.0, 5.0).astype(np.float32)
    return [
        Term(column.name, "promotion", away),
        Term(f"{column.name}:squared", "promotion", away**2),
    ]


_KINDS = {
    Kind.FLAG: _flag,
    Kind.CODE: _code,
    Kind.RATIO: _ratio,
    Kind.AMOUNT: _amount,
    Kind.SHARE: _share,
    Kind.LINEAR: _linear,
}


def followed(values: np.ndarray, memory: float) -> np.ndarray:
    """Exponentially discounted mean of what came before each column; of itself in the first.

    Unknown cells leave the mean as it is; before anything is known it is the first known value.
    """
    finite = np.isfinite(values)
    first = np.where(finite.any(axis=1), values[np.arange(len(values)), finite.argmax(axis=1)], 0.0)
    mean = first.copy()
    found = np.empty_like(values)
    for t in range(values.shape[1]):
        found[:, t] = mean
        seen = finite[:, t]
        mean = np.where(
            seen, memory * mean + (1 - memory) * np.where(seen, values[:, t], 0.0), mean
        )
    return found
