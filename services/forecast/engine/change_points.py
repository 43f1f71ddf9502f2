"""Where the level of a series changed for good: annotation for a chart, not input of a forecast.

The penalised least-squares fit of piecewise constant levels, exactly (Jackson et al. 2005, "An
algorithm for optimal partitioning of data on an interval"): the optimum that PELT finds as well.
The steps of its dynamic programme are arrays over series, so that a thousand series of three years
cost about as much as a few.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers

PENALTY = 3.0
"""Of one more change, in units of variance x log(columns). BIC's would be 2 for white noise; weeks
of sales are autocorrelated, and a chart with too many marks says nothing."""
LEAST_COLUMNS = 4
MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class ChangePoints:
    """One entry a change, by series and column."""

    series: Integers
    column: Integers  # The first column of the new level.
    before: Floats  # Mean of the level that ended.
    after: Floats  # Mean of the level that began.


def change_points(values: Floats, penalty: float = PENALTY) -> ChangePoints:
    """Finds changes of level that last at least four columns.

    Args:
        values: (series, columns), such as the log of a seasonally adjusted index; NaN is skipped.
        penalty: a higher one finds fewer changes.
    """
    count, columns = values.shape
    # With a column of zeros in front, sums over [a, b) are differences.
    seen = np.pad(~np.isnan(values), ((0, 0), (1, 0))).cumsum(axis=1, dtype=np.float64)
    filled = np.pad(np.nan_to_num(values), ((0, 0), (1, 0)))
    sums, squares = filled.cumsum(axis=1), (filled**2).cumsum(axis=1)
    price = penalty * _variance(values) * np.log(np.maximum(seen[:, -1], 2.0))
    best = np.full((count, columns + 1), np.inf)
    best[:, 0] = -price
    last = np.zeros((count, columns + 1), dtype=np.int64)
    for stop in range(1, columns + 1):
        begin = np.arange(stop)
        number = seen[:, [stop]] - seen[:, begin]
        total = sums[:, [stop]] - sums[:, begin]
        cost = squares[:, [stop]] - squares[:, begin] - total**2 / np.maximum(number, 1.0)
        short = number < LEAST_COLUMNS
        found = np.where(short, np.inf, best[:, begin] + cost + price[:, np.newaxis])
        last[:, stop] = found.argmin(axis=1)
        best[:, stop] = found[np.arange(count), last[:, stop]]
    return _trace(last, sums, seen)


def _variance(values: Floats) -> Floats:
    """(series,). Of the noise, from differences of neighbours, so that a change hardly counts."""
    steps = np.abs(np.diff(values, axis=1))
    middle = np.nanmedian(np.pad(steps, ((0, 0), (0, 1))), axis=1)
    deviation = MAD_TO_DEVIATION * middle / np.sqrt(2)
    found: Floats = np.maximum(deviation**2, 1e-12)
    return found


def _trace(last: Integers, sums: Floats, seen: Floats) -> ChangePoints:
    """Walks back from the end through the starts of the segments."""
    rows = np.arange(last.shape[0])
    stop = np.full(rows.size, last.shape[1] - 1)
    parts = [(rows[:0], stop[:0], stop[:0], stop[:0])]  # Of each change: series, and three columns.
    while (stop > 0).any():
        start = last[rows, stop]
        real = start > 0
        parts.append((rows[real], last[rows, start][real], start[real], stop[real]))
        stop = start
    series, before, column, after = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((column, series))
    series, before, column, after = series[order], before[order], column[order], after[order]
    old = _means(sums, seen, series, before, column)
    return ChangePoints(series, column, old, _means(sums, seen, series, column, after))


def _means(sums: Floats, seen: Floats, rows: Integers, start: Integers, stop: Integers) -> Floats:
    number = np.maximum(seen[rows, stop] - seen[rows, start], 1.0)
    mean: Floats = (sums[rows, stop] - sums[rows, start]) / number
    return mean
