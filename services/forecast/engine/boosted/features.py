"""What a boosted model is told about one forecast: level-free, so that one serves all series.

Everything about the past is relative to the series' level at the origin, or a logarithm of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.boosted.groups import Grouping
from services.forecast.engine.boosted.history import LEAST, History, ratio
from services.forecast.engine.boosted.rows import Rows
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import MONTHS, WEEK_DAYS, Period

WINDOWS = {
    Period.DAY: (7, 14, 28, 56, 182),
    Period.WEEK: (4, 8, 13, 26, 52),
    Period.MONTH: (2, 3, 6, 12, 24),
}
SHORT, MIDDLE, LONG = 0, 2, 3  # Of the windows.
LAGS = {
    Period.DAY: (1, 2, 3, 7, 14, 28),
    Period.WEEK: (1, 2, 3, 4, 8, 13, 26, 52),
    Period.MONTH: (1, 2, 3, 6, 12),
}
YEAR = {Period.DAY: 364, Period.WEEK: 52, Period.MONTH: 12}  # Back to the same weekday and season.
LOOK_BACK = {Period.DAY: 430, Period.WEEK: 84, Period.MONTH: 28}  # Columns that any feature needs.
SAME_WEEKDAYS = 4
LONG_SHARE = 0.05  # Of the mean of all: keeps the unit away from 0 when nothing sold lately.
SOFT = 0.02  # Of the unit: keeps logarithms finite.
SOFT_SEASON = 0.1
MOST = 20.0  # Units: lags beyond are cut.
MOST_CODES = 1000
POSITIVE_SHARE = 0.98  # Of a column's values: a price may be missing as 0 here and there.


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns get which features: the same for all blocks and origins of one call."""

    categories: tuple[str, ...]  # Attributes whose codes a tree may split by.
    prices: tuple[str, ...]  # Columns known in advance that are hardly ever 0 or less.

    @staticmethod
    def of(panel: Panel) -> "Layout":
        codes = (name for name in sorted(panel.static) if panel.static[name].max() < MOST_CODES)
        prices = (name for name in sorted(panel.known) if _is_price(panel.known[name]))
        return Layout(tuple(codes), tuple(prices))


def _is_price(values: Floats) -> bool:
    known = np.isfinite(values).sum()
    return bool(known and (values > 0).sum() >= POSITIVE_SHARE * known)


@dataclass(frozen=True, slots=True)
class Block:
    """Some series of a panel, and what features are made of."""

    rows: slice  # Which series of the panel they are; rows' series count from the panel's first.
    panel: Panel  # Of these series.
    history: History
    groupings: Sequence[Grouping]
    layout: Layout


@dataclass(frozen=True, slots=True)
class Features:
    names: tuple[str, ...]
    values: NDArray[np.float32]  # (rows, features). NaN where unknown.
    unit: Floats  # (rows,). What one is, of the series at the origin: above 0.


def build(block: Block, rows: Rows, *, as_sold: bool) -> Features:
    """The features of ``rows``, all of which are series of ``block``.

    Lags are units ``as_sold``, promotions and season in them, or else per ordinary period.
    """
    local = Rows(rows.series - block.rows.start, rows.origin, rows.step)
    unit = _unit(block.history, local)
    columns: dict[str, Floats | Integers] = {"step": rows.step}
    columns |= _levels(block, local, unit)
    columns |= _lags(block, local, unit, as_sold=as_sold)
    columns |= _seasons(block, local, unit)
    columns |= _groups(block, rows)
    columns |= _known(block, local)
    columns |= _calendar(block.panel, rows.column)
    columns |= {name: block.panel.static[name][local.series] for name in block.layout.categories}
    values = np.empty((rows.series.size, len(columns)), dtype=np.float32)
    for index, column in enumerate(columns.values()):
        values[:, index] = column
    values[~np.isfinite(values)] = np.nan
    return Features(tuple(columns), values, unit)


def _unit(history: History, rows: Rows) -> Floats:
    level = history.level[rows.series, rows.origin]
    mean = history.sums[rows.series, rows.origin] / np.maximum(
        history.ordinaries[rows.series, rows.origin], LEAST
    )
    return np.maximum(level + LONG_SHARE * mean, LEAST)


def _between(sums: Floats, rows: Rows, start: Integers, stop: Integers) -> Floats:
    last = sums.shape[1] - 1
    series = rows.series
    return sums[series, np.clip(stop, 0, last)] - sums[series, np.clip(start, 0, last)]


def _levels(block: Block, rows: Rows, unit: Floats) -> dict[str, Floats | Integers]:
    history, origin = block.history, rows.origin
    windows = WINDOWS[block.panel.period]
    found: dict[str, Floats | Integers] = {}
    spans = {f"mean {window}": window for window in windows} | {"mean all": history.periods}
    for name, window in spans.items():
        above = _between(history.sums, rows, origin - window, origin)
        below = _between(history.ordinaries, rows, origin - window, origin)
        found[name] = np.log(ratio(above, below) / unit + SOFT)
    found["quick"] = np.log(history.quick[rows.series, origin] / unit + SOFT)
    start = origin - windows[MIDDLE]
    known = _between(history.known, rows, start, origin)
    found["selling"] = ratio(_between(history.sold, rows, start, origin), known)
    start = origin - windows[LONG]
    known = _between(history.known, rows, start, origin)
    mean = ratio(
        _between(history.sums, rows, start, origin),
        _between(history.ordinaries, rows, start, origin),
    )
    squares = ratio(_between(history.squares, rows, start, origin), known)
    found["deviation"] = np.sqrt(np.maximum(squares - mean**2, 0.0)) / unit
    found["since sale"] = origin - history.last[rows.series, origin]
    found["age"] = origin - history.first[rows.series]
    found["level"] = np.log(unit)
    return found


def _lags(block: Block, rows: Rows, unit: Floats, *, as_sold: bool) -> dict[str, Floats | Integers]:
    period, history = block.panel.period, block.history
    periods = history.shelf if as_sold else history.ordinary

    def at(column: Integers) -> Floats:
        return _at(rows, column, history.units, periods) / unit

    found: dict[str, Floats | Integers] = {
        f"lag {lag}": at(rows.origin - lag) for lag in LAGS[period]
    }
    found["lag year"] = at(rows.column - YEAR[period])
    if period is Period.DAY:
        latest = rows.column - WEEK_DAYS * ((rows.step + WEEK_DAYS - 1) // WEEK_DAYS)
        same = np.stack([at(latest - WEEK_DAYS * back) for back in range(SAME_WEEKDAYS)])
        known = np.isfinite(same)
        found["same weekdays"] = ratio(np.where(known, same, 0.0).sum(axis=0), known.sum(axis=0))
    return {name: np.minimum(lag, MOST) for name, lag in found.items()}


def _at(rows: Rows, column: Integers, units: Floats, periods: Floats) -> Floats:
    """(rows,). Units of a past column by its ``periods``; NaN where unknown or not yet past."""
    usable = (column >= 0) & (column < rows.origin)
    inside = np.clip(column, 0, units.shape[1] - 1)
    found = ratio(units[rows.series, inside], periods[rows.series, inside])
    return np.where(usable, found, np.nan)


def _seasons(block: Block, rows: Rows, unit: Floats) -> dict[str, Floats | Integers]:
    """How the series went on a year ago from where it then stood."""
    history, year = block.history, YEAR[block.panel.period]
    window = WINDOWS[block.panel.period][MIDDLE]
    then, back = rows.column - year, rows.origin - year

    def rate(start: Integers, stop: Integers) -> Floats:
        above = _between(history.sums, rows, start, stop)
        return ratio(above, _between(history.ordinaries, rows, start, stop))

    after, before = rate(then - 1, np.minimum(then + 2, rows.origin)), rate(back - window, back)
    soft = SOFT_SEASON * unit
    return {"season": np.where(back > 0, np.log((after + soft) / (before + soft)), np.nan)}


def _groups(block: Block, rows: Rows) -> dict[str, Floats | Integers]:
    period = block.panel.period
    windows, year, origin = WINDOWS[period], YEAR[period], rows.origin
    then, back = rows.column - year, origin - year
    found: dict[str, Floats | Integers] = {}
    for grouping in block.groupings:
        group = grouping.codes[rows.series]
        near = grouping.over(group, origin - windows[SHORT], origin)
        far = grouping.over(group, np.maximum(origin - windows[LONG], 0), origin)
        after = grouping.over(group, then - 1, np.minimum(then + 2, origin))
        before = grouping.over(group, back - windows[MIDDLE], back)
        with np.errstate(divide="ignore", invalid="ignore"):
            found[f"{grouping.name}: momentum"] = np.log(near / far)
            found[f"{grouping.name}: season"] = np.log(after / before)
        found[f"{grouping.name}: promoted"] = grouping.promoted[group, rows.column]
    return found


def _known(block: Block, rows: Rows) -> dict[str, Floats | Integers]:
    """Columns known in advance: as they are, a period before, and against the recent past.

    A price is compared with the recent past by its ratio.
    """
    found: dict[str, Floats | Integers] = {}
    window = WINDOWS[block.panel.period][MIDDLE]
    past = np.maximum(rows.origin[:, np.newaxis] - np.arange(window, 0, -1), 0)
    for name, values in sorted(block.panel.known.items()):
        value = values[rows.series, rows.column]
        found[name] = value
        found[f"{name}: before"] = values[rows.series, rows.column - 1]
        if name in block.layout.prices:
            recent = values[rows.series[:, np.newaxis], past]
            priced = recent > 0
            usual = ratio(np.where(priced, recent, 0.0).sum(axis=1), priced.sum(axis=1))
            with np.errstate(invalid="ignore", divide="ignore"):
                found[f"{name}: change"] = np.log(value / values[rows.series, rows.origin - 1])
                found[f"{name}: usual"] = np.log(value / usual)
    return found


def _calendar(panel: Panel, column: Integers) -> dict[str, Floats | Integers]:
    days = panel.dates[column].astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    if panel.period is Period.MONTH:
        return {"month": months.astype(np.int64) % MONTHS}
    found: dict[str, Floats | Integers] = {
        "day of year": (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
    }
    if panel.period is Period.DAY:
        found["weekday"] = (days.astype(np.int64) + 3) % WEEK_DAYS
        found["day of month"] = (days - months.astype("datetime64[D]")).astype(int)
    return found
