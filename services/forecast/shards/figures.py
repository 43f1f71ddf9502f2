"""How good forecasts were, as sums that can be added up over shards; and trends.

RMSSE and its scale follow the M5 competition (Makridakis et al. 2022); MASE and SPL are scaled by
the mean absolute step of the past.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from services.forecast.domain.jobs import WHOLE, Score
from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.trends import Trends
from services.forecast.shards.data import packed, unpacked

LEVELS = (0.1, 0.5, 0.9)
TREND_WEEKS = 8  # In each of the two windows that are compared.
LOWER_Z = 1.2815515655446004  # Of the growth that is exceeded with a chance of 90 %.
# Columns of the sums.
SERIES, RMSSE, RMSSE_SERIES, MASE, SPL, MASE_SERIES = range(6)
ERROR, ABSOLUTE, UNITS, COVERED, CELLS = range(6, 11)
COLUMNS = 11


@dataclass(frozen=True, slots=True)
class Judged:
    """Forecasts from one past origin beside what then sold. Arrays are (series, ahead)."""

    cutoff: np.datetime64
    past: Floats  # (series, origin). What was known.
    actual: Floats  # NaN where nothing is to be judged.
    mean: Floats
    quantiles: Floats | None  # (3, series, ahead). None where none can be had.


@dataclass(frozen=True, slots=True)
class Figures:
    """What one shard knows of itself."""

    cutoffs: Integers  # (rows,). Days since 1970.
    segments: tuple[str, ...]  # Of each row.
    sums: Floats  # (rows, COLUMNS).
    model: str
    trends: Floats  # (groups, 5): the group's code, growth, its lower bound, recent, previous.

    def to_bytes(self) -> bytes:
        return packed(
            {
                "cutoffs": self.cutoffs,
                "segments": np.array(self.segments, dtype=np.str_),
                "sums": self.sums,
                "model": np.array(self.model),
                "trends": self.trends,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Figures":
        found = unpacked(data)
        segments = tuple(found["segments"].tolist())
        return cls(found["cutoffs"], segments, found["sums"], str(found["model"]), found["trends"])


def sums_of(judged: Judged, names: Sequence[str], codes: Integers) -> tuple[list[str], Floats]:
    """The sums of the whole and of each segment that has series to be judged.

    Args:
        judged: what to add up.
        names: of the segments.
        codes: (series,). The segment of each series.
    """
    own = _by_series(judged)
    counted = own[:, SERIES] > 0
    totals = np.stack(
        [np.bincount(codes, np.where(counted, column, 0), len(names)) for column in own.T], axis=1
    )
    shown = [at for at in range(len(names)) if totals[at, SERIES] > 0]
    whole = totals.sum(axis=0, keepdims=True)
    return [WHOLE, *(names[at] for at in shown)], np.concatenate([whole, totals[shown]])


def _by_series(judged: Judged) -> Floats:
    known = ~np.isnan(judged.actual)
    actual = np.where(known, judged.actual, 0.0)
    error = np.where(known, judged.mean - actual, 0.0)
    cells = known.sum(axis=1).astype(np.float64)
    square_scale, absolute_scale = scales(judged.past)
    own = np.zeros((actual.shape[0], COLUMNS))
    own[:, SERIES] = cells > 0
    rmsse = np.sqrt((error**2).sum(axis=1) / np.maximum(cells, 1)) / square_scale
    absolute = np.abs(error).sum(axis=1)
    mase = absolute / np.maximum(cells, 1) / absolute_scale
    own[:, RMSSE], own[:, RMSSE_SERIES] = np.nan_to_num(rmsse), np.isfinite(rmsse) & (cells > 0)
    own[:, MASE], own[:, MASE_SERIES] = np.nan_to_num(mase), np.isfinite(mase) & (cells > 0)
    own[:, ERROR], own[:, ABSOLUTE] = error.sum(axis=1), absolute
    own[:, UNITS] = actual.sum(axis=1)
    if judged.quantiles is not None:
        low, _, high = judged.quantiles
        inside = known & (actual >= low) & (actual <= high)
        own[:, COVERED], own[:, CELLS] = inside.sum(axis=1), cells
        loss = sum(_pinball(actual, q, at) for q, at in zip(judged.quantiles, LEVELS, strict=True))
        mean_loss = np.where(known, loss, 0.0).sum(axis=1) / np.maximum(cells, 1) / len(LEVELS)
        own[:, SPL] = np.nan_to_num(mean_loss / absolute_scale)
    return own


def scales(past: Floats) -> tuple[Floats, Floats]:
    """(series,) twice. Root mean square and mean absolute step of each series from its first sale.

    NaN for a series that shows no step.
    """
    sold = past > 0
    first = np.where(sold.any(axis=1), sold.argmax(axis=1), past.shape[1])
    steps = np.diff(past, axis=1)
    counted = ~np.isnan(steps) & (np.arange(1, past.shape[1]) > first[:, np.newaxis])
    steps = np.where(counted, steps, 0.0)
    count = counted.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.sqrt((steps**2).sum(axis=1) / count)
        absolute = np.abs(steps).sum(axis=1) / count
    return np.where(square > 0, square, np.nan), np.where(absolute > 0, absolute, np.nan)


def _pinball(actual: Floats, quantile: Floats, level: float) -> Floats:
    error = actual - quantile
    return np.maximum(level * error, (level - 1) * error)


def trend_rows(found: Trends) -> Floats:
    """(groups, 5), as in `Figures.trends`, of groups that sold of late."""
    at = found.order
    units, weeks = found.index.units, TREND_WEEKS
    recent, previous = units[:, -weeks:].sum(axis=1), units[:, -2 * weeks : -weeks].sum(axis=1)
    low = found.momentum.shrunk - LOWER_Z * found.momentum.deviation
    columns = (np.arange(len(low)), np.exp(found.momentum.shrunk), np.exp(low), recent, previous)
    return np.stack([np.asarray(column, dtype=np.float64)[at] for column in columns], axis=1)


def scores(parts: Iterable[Figures]) -> tuple[Score, ...]:
    """Adds up what all shards found, by cutoff and segment, the whole first."""
    totals: dict[tuple[int, str], Floats] = {}
    for part in parts:
        keys = zip(part.cutoffs.tolist(), part.segments, strict=True)
        for key, row in zip(keys, part.sums, strict=True):
            totals[key] = totals.get(key, np.zeros(COLUMNS)) + row
    ordered = sorted(totals, key=lambda key: (key[0], key[1] != WHOLE, key[1]))
    return tuple(_score(day, segment, totals[day, segment]) for day, segment in ordered)


def _score(day: int, segment: str, row: Floats) -> Score:
    def share(above: int, below: int) -> float:
        return float(row[above] / row[below]) if row[below] > 0 else float("nan")

    judged_spl = share(SPL, MASE_SERIES) if row[CELLS] > 0 else float("nan")
    return Score(
        cutoff_date=date.fromordinal(date(1970, 1, 1).toordinal() + day),
        segment=segment,
        series=int(row[SERIES]),
        rmsse=share(RMSSE, RMSSE_SERIES),
        mase=share(MASE, MASE_SERIES),
        wmape=share(ABSOLUTE, UNITS),
        spl=judged_spl,
        coverage=share(COVERED, CELLS),
        bias=share(ERROR, UNITS),
    )
