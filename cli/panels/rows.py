"""A whole file as rows in order, checked: what every cutoff of it is cut from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.panels import stamps, values
from cli.panels.source import Source
from cli.panels.stamps import Stamps
from cli.panels.values import Factor, Floats, Integers
from cli.problems import Problem

LIMIT = 1e30  # Of numbers: what is larger is none, what is smaller than its inverse is 0.
KEYS = ("unique_id", "ds", "y")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a panel say what, besides unique_id, ds and y."""

    known: Sequence[str] = ()  # Known in advance: prices, promotions, events.
    static: Sequence[str] = ()  # What a series is: category, store.
    weight: str | None = None  # Revenue, for weighted figures.

    def wanted(self) -> list[str]:
        more = [self.weight] if self.weight else []
        return list(dict.fromkeys([*KEYS, *sorted(self.known), *sorted(self.static), *more]))


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows by series and time. Arrays are (rows,) unless said otherwise."""

    ids: Any  # (series,). As in the file, ascending.
    series: Integers  # Number of the series.
    stamps: Stamps
    days: NDArray[np.datetime64]
    units: Floats  # As they stand in the file: NaN where unknown, negative where more came back.
    known: Mapping[str, Floats | Factor] = field(default_factory=dict)
    static: Mapping[str, Floats | Factor] = field(default_factory=dict)
    weight: Floats | None = None
    encoded: bool = False  # The file's ids are codes of a dictionary.
    notes: Sequence[str] = ()


def read(source: Source, columns: Columns, period: str | None = None) -> Rows:
    """Reads and checks a panel.

    Raises:
        Problem: what is wrong, by column, and what to do.
    """
    _check_names(columns)
    table = source.read(columns.wanted())
    if not table.num_rows:
        raise Problem("the panel has no rows")
    ids, series = _series(table["unique_id"])
    when = stamps.read(table["ds"], period)
    order = np.lexsort((when.moments[when.codes], series))
    when = Stamps(when.codes[order], when.values, when.moments, when.write, when.counted)
    series = series[order]
    _check_twice(ids, series, when)
    units = values.numbers(table["y"], "y")[order]
    notes = list(_check_units(units))
    known, endless = _side(table, columns.known, order)
    static, _ = _side(table, columns.static, order)
    notes += [f"{name} holds numbers beyond {LIMIT:g}: unknown there" for name in endless]
    weight = (
        values.numbers(table[columns.weight], columns.weight)[order] if columns.weight else None
    )
    encoded = pa.types.is_dictionary(table["unique_id"].type)
    return Rows(ids, series, when, when.days(), units, known, static, weight, encoded, notes)


def _check_names(columns: Columns) -> None:
    for name in (*columns.known, *columns.static):
        if name == "y" or (name == "ds" and name in columns.static):
            raise Problem(f"{name} is what is forecast, no input", f"leave {name} out")
        if name in ("ds", "unique_id") and name in columns.known:
            raise Problem(f"--known {name}: it is always known", "leave it out")


def _series(column: Any) -> tuple[Any, Integers]:
    cells = values.plain(column)
    if cells.null_count:
        raise Problem(
            f"column unique_id is empty in {cells.null_count:,} rows",
            "name the series of every row",
        )
    encoded = cells.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    return encoded.dictionary.take(order), rank[encoded.indices.to_numpy()]


def _check_twice(ids: Any, series: Integers, when: Stamps) -> None:
    same = (np.diff(series) == 0) & (np.diff(when.codes) == 0)
    if same.any():
        row = int(same.argmax())
        raise Problem(
            f"{int(same.sum()):,} rows are there twice: the first is {ids[series[row]]}, "
            f"{when.values[when.codes[row]]}",
            "keep or add up to one row for each unique_id and ds",
        )


def _check_units(units: Floats) -> Sequence[str]:
    endless = int((np.abs(units) > LIMIT).sum())
    if endless:
        raise Problem(
            f"column y is infinite or beyond {LIMIT:g} in {endless:,} rows",
            "leave it empty where it is unknown",
        )
    negative = int((units < 0).sum())
    return [f"{negative:,} rows have a negative y: each counts as 0"] if negative else []


def _side(
    table: Any, names: Sequence[str], order: Integers
) -> tuple[dict[str, Floats | Factor], list[str]]:
    """Columns beside y, by name in ascending order, and which of them hold endless numbers."""
    found: dict[str, Floats | Factor] = {}
    endless = []
    for name in sorted(set(names)):
        cells = values.numbers_or_names(table[name], name)
        if isinstance(cells, Factor):
            found[name] = Factor(cells.codes[order], cells.labels)
            continue
        size = np.abs(cells)
        if (size > LIMIT).any():
            endless.append(name)
        cells = np.where(size > LIMIT, np.nan, np.where(size < 1 / LIMIT, 0.0, cells))
        found[name] = cells[order]
    return found, endless
