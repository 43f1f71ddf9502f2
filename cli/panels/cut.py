"""What a forecast may know at a cutoff, as a panel of the engine, and where its rows are due."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cli.panels.columns import Placed, place
from cli.panels.rows import Rows
from cli.panels.values import Factor, Floats, Integers
from cli.problems import Problem
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

MOST_PERIODS = 20_000
MOST_NAMES = 20  # Of a column of names that is known in advance: the rest count as one.
MOST_STATIC_NUMBERS = 30  # A static column of more distinct numbers is put into tenths.
MOST_ZEROS_PER_GAP = 0.01  # Zeros by chance: what was sold came back on the same day.


@dataclass(frozen=True, slots=True)
class Cut:
    """One cutoff. Series are numbered as in `panel`."""

    panel: Panel
    ids: Integers  # (series,). Their numbers in the file.
    rows: Integers  # (due,). The file's rows that are to be forecast.
    row_series: Integers  # (due,)
    row_steps: Integers  # (due,). From 0.
    new_series: Integers  # Series without rows after the cutoff: every step of theirs is due.
    new_dates: NDArray[np.datetime64]  # (new series, horizon)
    recorded: Floats  # (series, periods). y as it stands in the file; NaN where there is no row.
    gaps: int  # Missing rows between the first and the last of a series.
    gaps_are_zero: bool


def cut(rows: Rows, period: Period, cutoff: np.datetime64, horizon: int) -> Cut:
    """Cuts ``rows`` after the moment ``cutoff``.

    Only what is known in advance is read of later rows, and of the next ``horizon`` periods alone.

    Raises:
        Problem: nothing was seen by then, or dates that do not make a panel.
    """
    seen = rows.stamps.moments[rows.stamps.codes] <= cutoff
    if not seen.any():
        raise Problem(
            f"cutoff {cutoff.astype('datetime64[D]')} lies before the first ds, "
            f"{rows.days.min()}", "give a later one",
        )  # fmt: skip
    placed = place(period, rows.series, rows.days, seen, cutoff.astype("datetime64[D]"))
    ids, numbered = _kept(rows, seen)
    past = int(1 - placed.columns[seen].min())
    if past > MOST_PERIODS:
        raise Problem(
            f"column ds spans {past:,} periods from {rows.days[seen].min()} on: at most "
            f"{MOST_PERIODS:,} are read", "correct the dates that are mistakes",
        )  # fmt: skip
    visible = np.flatnonzero((seen | (placed.columns <= horizon)) & (numbered[rows.series] >= 0))
    grid = _Grid(
        (ids.size, past, horizon), numbered[rows.series[visible]],
        placed.columns[visible] + past - 1, visible,
    )  # fmt: skip
    recorded = grid.of(np.where(seen, rows.units, np.nan))[:, :past]
    units, gaps, zero = _units(recorded, grid.exists()[:, :past])
    due = visible[~seen[visible]]
    due_series = numbered[rows.series[due]]
    new = np.setdiff1d(np.arange(ids.size), due_series)
    panel = Panel(
        period=period,
        dates=_dates(period, placed.typical, past, horizon),
        units=units,
        known=dict(_known(rows, grid)),
        static=dict(_static(rows, seen, numbered, ids.size)),
        weights=_weights(rows, grid, seen, horizon),
    )
    return Cut(
        panel, ids, due, due_series, placed.columns[due] - 1, new,
        _new_dates(period, placed, ids[new], horizon), recorded, gaps, zero,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Grid:
    """Puts values of the visible rows into (series, past + horizon)."""

    shape: tuple[int, int, int]
    series: Integers
    columns: Integers
    visible: Integers

    def of(self, values: Floats) -> Floats:
        series, past, horizon = self.shape
        grid = np.full((series, past + horizon), np.nan)
        grid[self.series, self.columns] = values[self.visible]
        return grid

    def exists(self) -> NDArray[np.bool_]:
        series, past, horizon = self.shape
        grid = np.zeros((series, past + horizon), dtype=bool)
        grid[self.series, self.columns] = True
        return grid


def _kept(rows: Rows, seen: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """The series that have a row by the cutoff, and the new number of each in the file, or -1."""
    ids = np.unique(rows.series[seen])
    numbered = np.full(len(rows.ids), -1, dtype=np.int64)
    numbered[ids] = np.arange(ids.size)
    return ids, numbered


def _units(recorded: Floats, exists: NDArray[np.bool_]) -> tuple[Floats, int, bool]:
    """Units as the engine takes them, how many rows are missing, and whether those mean 0.

    A panel that leaves out rows and has no zeros leaves them out where nothing sold; one that does
    record zeros leaves out what nobody knows.
    """
    begun = np.maximum.accumulate(exists, axis=1)
    ended = np.maximum.accumulate(exists[:, ::-1], axis=1)[:, ::-1]
    gaps = int((begun & ended & ~exists).sum())
    zeros = int((recorded == 0).sum())
    zero = gaps > 0 and zeros <= MOST_ZEROS_PER_GAP * gaps
    units = np.maximum(recorded, 0.0)
    return (np.where(begun & ~exists, 0.0, units) if zero else units), gaps, zero


def _dates(period: Period, last: np.datetime64, past: int, horizon: int) -> NDArray[np.datetime64]:
    if period is not Period.MONTH:
        step = 7 if period is Period.WEEK else 1
        return np.asarray(last + (np.arange(past + horizon) - past + 1) * step)
    before = last.astype("datetime64[M]") - (past - 1)
    ends = (before + 1).astype("datetime64[D]") - 1
    is_end = last == (last.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    day = last - last.astype("datetime64[M]").astype("datetime64[D]")
    first = ends if is_end else min(before.astype("datetime64[D]") + day, ends)
    return period.dates(first, past + horizon)


def _new_dates(
    period: Period, placed: Placed, ids: Integers, horizon: int
) -> NDArray[np.datetime64]:
    if period is Period.MONTH:
        dates = period.dates(placed.typical, horizon + 1)[1:]
        return np.repeat(dates[np.newaxis], ids.size, axis=0)
    step = 7 if period is Period.WEEK else 1
    return np.asarray(placed.last[ids][:, np.newaxis] + step * np.arange(1, horizon + 1))


def _known(rows: Rows, grid: _Grid) -> Iterator[tuple[str, Floats]]:
    """What is known in advance as numbers. Names become a column of 0 and 1 each."""
    for name, values in rows.known.items():
        if not isinstance(values, Factor):
            yield name, grid.of(values)
            continue
        codes = values.codes[grid.visible]
        counts = np.bincount(codes[codes >= 0], minlength=len(values.labels))
        common = np.argsort(-counts, kind="stable")[:MOST_NAMES]
        for code in np.sort(common[counts[common] > 0]):
            yield f"{name}={values.labels[code]}", grid.of((values.codes == code).astype(float))


def _static(
    rows: Rows, seen: NDArray[np.bool_], numbered: Integers, count: int
) -> Iterator[tuple[str, Integers]]:
    """What each series is, by its last row that says so; a code of its own where none does."""
    for name, values in rows.static.items():
        codes = values.codes if isinstance(values, Factor) else values
        told = seen & (codes >= 0 if isinstance(values, Factor) else ~np.isnan(codes))
        last = np.full(count, np.nan)
        last[numbered[rows.series[told]]] = codes[told]  # The last of equal indices stays.
        numeric = not isinstance(values, Factor)
        if numeric and np.unique(last[~np.isnan(last)]).size > MOST_STATIC_NUMBERS:
            edges = np.nanquantile(last, np.arange(1, 10) / 10)
            last = np.where(np.isnan(last), np.nan, np.searchsorted(edges, last))
        yield name, np.unique(last, return_inverse=True)[1].astype(np.int64)


def _weights(rows: Rows, grid: _Grid, seen: NDArray[np.bool_], horizon: int) -> Floats | None:
    if rows.weight is None:
        return None
    past = grid.shape[1]
    recent = grid.of(np.where(seen, rows.weight, np.nan))[:, max(0, past - horizon) : past]
    return np.asarray(np.maximum(np.nansum(recent, axis=1), 0.0))
