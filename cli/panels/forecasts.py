"""Forecasts as rows: unique_id, cutoff, ds, mean, p10, p50, p90, typed as in the panel's file."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cli.panels.cut import Cut
from cli.panels.rows import Rows
from cli.panels.stamps import Moments
from cli.panels.values import Floats
from cli.problems import Problem

LEVELS = (0.1, 0.5, 0.9)
NAMES = ("p10", "p50", "p90")


def table(rows: Rows, cut: Cut, bears: np.datetime64, mean: Floats, quantiles: Floats) -> pa.Table:
    """One cutoff's rows, by series and date.

    Args:
        rows: the file.
        cut: what was forecast from.
        bears: the cutoff, as the rows shall bear it.
        mean: (series, horizon).
        quantiles: (levels, series, horizon), of LEVELS.
    """
    horizon, stamps = mean.shape[1], rows.stamps
    series = np.concatenate([cut.row_series, np.repeat(cut.new_series, horizon)])
    steps = np.concatenate([cut.row_steps, np.tile(np.arange(horizon), cut.new_series.size)])
    there, new = stamps.codes[cut.rows], _new_moments(rows, cut)
    moments = np.concatenate([stamps.moments[there], new])
    values = pa.concat_arrays([stamps.values.take(pa.array(there)), stamps.write(new)])
    order = np.lexsort((moments, series))
    ids = rows.ids.take(pa.array(cut.ids[series[order]]))
    columns: dict[str, Any] = {
        "unique_id": ids.dictionary_encode() if rows.encoded else ids,
        "cutoff": stamps.of(bears).take(pa.array(np.zeros(order.size, dtype=np.int64))),
        "ds": values.take(pa.array(order)),
        "mean": mean[series, steps][order],
    }
    for name, quantile in zip(NAMES, quantiles, strict=True):
        columns[name] = quantile[series, steps][order]
    return pa.table(columns)


def _new_moments(rows: Rows, cut: Cut) -> Moments:
    """Of rows that the file does not have: at the time of day of the series' last row."""
    dates = cut.new_dates.astype("datetime64[us]")
    last = np.searchsorted(rows.series, cut.ids[cut.new_series], side="right") - 1
    moments = rows.stamps.moments[rows.stamps.codes[last]]
    clock = moments - moments.astype("datetime64[D]")
    return np.asarray(dates + clock[:, np.newaxis]).ravel()


def check_target(out: Path, panel: Path) -> None:
    """Fails before the work is done, not after.

    Raises:
        Problem: ``out`` cannot be written, or is the panel itself.
    """
    if out.is_dir():
        raise Problem(f"--out {out} is a folder", "name a file, such as forecasts.parquet")
    if out.resolve() == panel.resolve():
        raise Problem(f"--out {out} is the panel itself", "name another file")
    if not out.resolve().parent.is_dir():
        raise Problem(f"--out {out}: no such folder", f"make it with mkdir -p {out.parent}")
    if not os.access(out.resolve().parent, os.W_OK):
        raise Problem(f"--out {out}: its folder cannot be written to", "choose another")


def write(forecasts: Sequence[pa.Table], out: Path) -> None:
    """Writes all of it or nothing: whoever reads ``out`` meanwhile sees the old file."""
    part = out.with_name(f".{out.name}.part")
    try:
        pq.write_table(pa.concat_tables(forecasts).unify_dictionaries(), part)
        part.replace(out)
    except OSError as error:
        raise Problem(f"--out {out} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
