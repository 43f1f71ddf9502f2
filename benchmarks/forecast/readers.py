"""Reads panels that do not come as a panel, each in its own way."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CARPARTS_HORIZON = 12
CUTOFF = np.datetime64("2000-12", "M")  # Of panels whose periods are only counted.
CUTOFF_WEEK = np.datetime64("2000-12-31", "D")  # Likewise.
SHORT_MONTHS = 36
MONDAY = 4  # Days from a Thursday, which day 0 of 1970 was, to the next Monday.


def _m3_monthly(path: Path) -> pa.Table:
    """The monthly series, moved in time so that all end their training part at CUTOFF."""
    table, steps = _m3(path, "MONTHLY")
    return _panel(table, CUTOFF + steps)


def _m3_short(path: Path) -> pa.Table:
    """Of each monthly series the last 36 months of its training part."""
    table, steps = _m3(path, "MONTHLY")
    late = steps > -SHORT_MONTHS
    return _panel(table.filter(pa.array(late)), CUTOFF + steps[late])


def _m3_other(path: Path) -> pa.Table:
    """The series of no season, here as weeks: most of them trends with little noise."""
    table, steps = _m3(path, "OTHER")
    return _panel(table, CUTOFF_WEEK + 7 * steps)


def _m3(path: Path, kind: str) -> tuple[pa.Table, np.ndarray]:
    """The series of a kind, and each row's steps after the last of its training part."""
    table = pq.read_table(path)
    table = table.filter(pc.equal(table["period"], kind))
    test = pc.equal(table["part"], "test").to_numpy()
    ids, series = np.unique(table["unique_id"].to_numpy(), return_inverse=True)
    steps = table["t"].to_numpy()  # Counted from 1 in each part.
    trained = np.bincount(series[~test], minlength=ids.size)
    return table, np.where(test, steps, steps - trained[series])


def _carparts(path: Path) -> pa.Table:
    """The last 12 months are the test. What is missing counts as 0, as in the figures of others."""
    table = pq.read_table(path)
    steps = table["t"].to_numpy()
    filled = pc.fill_null(pc.if_else(pc.is_nan(table["y"]), None, table["y"]), 0.0)
    table = table.set_column(table.schema.get_field_index("y"), "y", filled)
    return _panel(table, CUTOFF + (steps - steps.max() + CARPARTS_HORIZON))


def _weekly(path: Path) -> pa.Table:
    """Sums by week, from Monday on, of a daily panel; without its first and last week."""
    table = pq.read_table(path)
    days = table["ds"].cast(pa.timestamp("us")).to_numpy().astype("datetime64[D]")
    mondays = days - (days.astype(np.int64) - MONDAY) % 7
    whole = (mondays > mondays.min()) & (mondays < mondays.max())
    table = table.select(["unique_id", "y", "spend"])
    table = table.append_column("ds", pa.array(mondays.astype("datetime64[us]")))
    sums = [("y", "sum"), ("spend", "sum")]
    weeks = table.filter(pa.array(whole)).group_by(["unique_id", "ds"]).aggregate(sums)
    return weeks.rename_columns({"y_sum": "y", "spend_sum": "spend"})


def _panel(table: pa.Table, dates: np.ndarray) -> pa.Table:
    stamps = pa.array(dates.astype("datetime64[us]"))
    return pa.table({"unique_id": table["unique_id"], "ds": stamps, "y": table["y"]})


READERS: dict[str, Callable[[Path], pa.Table]] = {
    "m3_monthly": _m3_monthly,
    "m3_short": _m3_short,
    "m3_other": _m3_other,
    "carparts_monthly": _carparts,
    "online_retail_weekly": _weekly,
}
