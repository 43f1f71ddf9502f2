"""The column ds: whatever stands in it as moments, and new ones written the same way."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.panels import texts
from cli.panels.values import Integers, is_text, plain
from cli.problems import Problem

Moments = NDArray[np.datetime64]
"""Of unit us: what a clock on the wall showed, without a time zone."""

COUNTED_FROM = np.datetime64("2000-01-03", "us")  # A Monday: where periods are only counted.
LEAST_EPOCH = 10**8  # Seconds since 1970 are more, dates of eight digits less.
EPOCHS = {"s": 10**11, "ms": 10**14, "us": 10**17}  # By unit: what no sensible date reaches.
FIX = "give dates such as 2026-03-01"


@dataclass(frozen=True, slots=True)
class Stamps:
    """A column of dates or times. ``codes`` lead to the distinct ones."""

    codes: Integers  # (rows,)
    values: Any  # (distinct,), as they stand in the file.
    moments: Moments  # (distinct,)
    write: Callable[[Moments], Any]  # Moments as values of the file's own type.
    counted: bool = False  # Numbers of periods in place of dates.

    def days(self) -> NDArray[np.datetime64]:
        """(rows,). Of unit day."""
        return np.asarray(self.moments.astype("datetime64[D]")[self.codes])

    def of(self, moment: np.datetime64) -> Any:
        """An array of one value: ``moment`` as it stands in the file, or as it would."""
        there = np.flatnonzero(self.moments == moment)[:1]
        return self.values.take(pa.array(there)) if there.size else self.write(np.array([moment]))


def read(column: Any, period: str | None) -> Stamps:
    """Reads the column ds. ``period`` says how long one step is, where steps are only counted.

    Raises:
        Problem: a cell is empty, or no date.
    """
    values = plain(column)
    if values.null_count:
        raise Problem(f"column ds is empty in {values.null_count:,} rows", FIX)
    encoded = values.dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    distinct = encoded.dictionary
    if pa.types.is_timestamp(distinct.type):
        return _timestamps(codes, distinct)
    if pa.types.is_date(distinct.type):
        moments = distinct.to_numpy(zero_copy_only=False).astype("datetime64[us]")
        return Stamps(codes, distinct, moments, lambda new: pa.array(new).cast(distinct.type))
    if pa.types.is_integer(distinct.type) and pc.max(distinct).as_py() >= LEAST_EPOCH:
        return _epochs(codes, distinct)
    if pa.types.is_integer(distinct.type) or is_text(distinct.type):
        return _written(codes, distinct, period)
    raise Problem(f"column ds holds {distinct.type}", FIX)


def _timestamps(codes: Integers, distinct: Any) -> Stamps:
    kind = distinct.type
    local = distinct if kind.tz is None else pc.local_timestamp(distinct)
    moments = local.cast(pa.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]")

    def write(new: Moments) -> Any:
        naive = pa.array(new).cast(pa.timestamp(kind.unit))
        if kind.tz is None:
            return naive
        # A clock change may skip an hour or have it twice: the earlier moment serves.
        return pc.assume_timezone(naive, kind.tz, ambiguous="earliest", nonexistent="earliest")

    return Stamps(codes, distinct, moments, write)


def _epochs(codes: Integers, distinct: Any) -> Stamps:
    """Whole numbers since 1970: seconds, or thousandths, millionths, billionths of one."""
    largest = pc.max(distinct).as_py()
    unit = next((unit for unit, limit in EPOCHS.items() if largest < limit), "ns")
    moments = distinct.cast(pa.int64()).to_numpy().astype(f"datetime64[{unit}]")

    def write(new: Moments) -> Any:
        return pa.array(new.astype(f"datetime64[{unit}]").astype(np.int64)).cast(distinct.type)

    return Stamps(codes, distinct, moments.astype("datetime64[us]"), write)


def _written(codes: Integers, distinct: Any, period: str | None) -> Stamps:
    """Text and whole numbers: dates, months, or a count of periods."""
    cells = [str(cell).strip() for cell in distinct.to_pylist()]
    if counts := _counts(cells):
        return _counted(codes, distinct, counts, period)
    found = texts.parse(cells)
    if found is None:
        raise Problem(f"column ds holds {texts.odd(cells)!r}, which is no date", FIX)

    def write(new: Moments) -> Any:
        return pa.array([found.write(moment) for moment in new.tolist()]).cast(distinct.type)

    return Stamps(codes, distinct, np.array(found.moments, dtype="datetime64[us]"), write)


def _counts(cells: Sequence[str]) -> list[int]:
    """The cells as numbers of periods, or nothing. Six digits and more are dates."""
    if not cells or not all(re.fullmatch(r"-?\d{1,5}", cell) for cell in cells):
        return []
    return [int(cell) for cell in cells]


def _counted(codes: Integers, distinct: Any, counts: list[int], period: str | None) -> Stamps:
    if period is None:
        raise Problem("column ds counts periods", "say how long one is: --period D, W or M")
    unit = {"D": np.timedelta64(1, "D"), "W": np.timedelta64(7, "D")}.get(
        period, np.timedelta64(1, "M")
    )
    origin = COUNTED_FROM.astype("datetime64[M]" if period == "M" else "datetime64[D]")

    def moments(numbers: Sequence[int]) -> Moments:
        return np.asarray((origin + np.array(numbers) * unit).astype("datetime64[us]"))

    def write(new: Moments) -> Any:
        steps = (new.astype(origin.dtype) - origin) // unit
        return pa.array([str(step) for step in steps.astype(int)]).cast(distinct.type)

    return Stamps(codes, distinct, moments(counts), write, counted=True)


def cutoff(text: str, stamps: Stamps) -> tuple[np.datetime64, np.datetime64]:
    """A cutoff as the last moment seen, and as the moment that the results bear.

    A day counts whole: where rows bear times of day, the last of that day is what they bear.

    Raises:
        Problem: it is no date, or not of the panel's kind.
    """
    if stamps.counted:
        return _counted_cutoff(text, stamps)
    found = texts.parse([text.strip()])
    if found is None or _counts([text.strip()]):
        raise Problem(f"--cutoffs {text}: no date", "give it as 2026-03-01")
    moment = np.datetime64(found.moments[0], "us")
    day = moment.astype("datetime64[D]")
    if moment != day:
        return moment, moment
    last = (day + 1).astype("datetime64[us]") - np.timedelta64(1, "us")
    that_day = stamps.moments[(stamps.moments >= moment) & (stamps.moments <= last)]
    return last, that_day.max() if that_day.size else moment


def _counted_cutoff(text: str, stamps: Stamps) -> tuple[np.datetime64, np.datetime64]:
    cells = [str(cell).strip() for cell in stamps.values.to_pylist()]
    if text.strip() not in cells:
        raise Problem(f"--cutoffs {text}: ds has no such number", "give one of ds")
    moment = stamps.moments[cells.index(text.strip())]
    return moment, moment
