"""The panels that are measured, their cutoffs, and what is known in advance.

DATA names the folder (default ../shared/data). None of the data is part of this repository.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SEASON = {"D": 7, "W": 52, "M": 12}
M3_HORIZON, CARPARTS_HORIZON = 18, 12
CUTOFF = np.datetime64("2000-12", "M")  # Of panels whose periods are only counted.


@dataclass(frozen=True)
class Spec:
    """What a method is asked, the same for all. Read from JSON by each method's own process."""

    name: str
    path: str
    period: str
    horizon: int
    cutoffs: tuple[str, ...]  # Of the test: nothing is chosen on them.
    validation: tuple[str, ...]  # Earlier ones, to choose on.
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    weight: str | None = None
    mase_season: int = 1  # Lag of the differences that scale MASE and SPL's MASE.

    def to_json(self) -> str:
        intervals = os.environ.get("INTERVALS") != "0"
        return json.dumps({**asdict(self), "season": SEASON[self.period], "intervals": intervals})


LISTED = (
    Spec(
        name="frat_weekly",
        path="panels/frat_weekly.parquet",
        period="W",
        horizon=8,
        cutoffs=("2011-07-20", "2011-09-14", "2011-11-09"),
        validation=("2011-02-02", "2011-03-30", "2011-05-25"),
        known=("price", "base_price", "feature", "display", "tpr_only"),
        static=("upc", "store", "category", "sub_category", "manufacturer", "segment", "state"),
        weight="spend",
    ),
    Spec(
        name="online_retail_daily",
        path="panels/online_retail_daily.parquet",
        period="D",
        horizon=28,
        cutoffs=("2011-10-14", "2011-11-11"),
        validation=("2011-08-19", "2011-09-16"),
        weight="spend",
    ),
    Spec(
        name="hermes_100",
        path="hermes_f1_main_100_sequences.parquet",
        period="W",
        horizon=52,
        cutoffs=("2018-12-31",),
        validation=("2018-01-01",),
        mase_season=52,
    ),
    Spec(
        name="m3_monthly",
        path="m3.parquet",
        period="M",
        horizon=M3_HORIZON,
        cutoffs=(f"{CUTOFF}-01",),
        validation=(f"{CUTOFF - M3_HORIZON}-01",),
        mase_season=12,
    ),
    Spec(
        name="carparts_monthly",
        path="expsmooth_carparts.parquet",
        period="M",
        horizon=CARPARTS_HORIZON,
        cutoffs=(f"{CUTOFF}-01",),
        validation=(f"{CUTOFF - CARPARTS_HORIZON}-01",),
    ),
)


def specs() -> dict[str, Spec]:
    """The panels by name, in the order of measuring. VALIDATION=1 moves them to earlier cutoffs."""
    if os.environ.get("VALIDATION"):
        return {spec.name: replace(spec, cutoffs=spec.validation) for spec in LISTED}
    return {spec.name: spec for spec in LISTED}


def data() -> Path:
    return Path(os.environ.get("DATA") or "../shared/data")


def prepare(spec: Spec, folder: Path, most_series: int | None) -> Spec:
    """Writes the panel into ``folder`` in the form that all methods read; of ``most_series``."""
    table = READERS.get(spec.name, pq.read_table)(data() / spec.path)
    ids = pc.unique(table["unique_id"].cast(pa.string())).sort()
    if most_series and most_series < len(ids):
        picked = np.linspace(0, len(ids) - 1, most_series).astype(int)
        kept = pc.is_in(table["unique_id"].cast(pa.string()), ids.take(pa.array(picked)))
        table = table.filter(kept)
    stamps = table["ds"].cast(pa.timestamp("us"))
    table = table.set_column(table.schema.get_field_index("ds"), "ds", stamps)
    path = folder / f"{spec.name}.parquet"
    pq.write_table(table, path)
    return replace(spec, path=str(path))


def _m3(path: Path) -> pa.Table:
    """The monthly series, moved in time so that all end their training part at CUTOFF."""
    table = pq.read_table(path)
    table = table.filter(pc.equal(table["period"], "MONTHLY"))
    test = pc.equal(table["part"], "test").to_numpy()
    ids, series = np.unique(table["unique_id"].to_numpy(), return_inverse=True)
    steps = table["t"].to_numpy()  # Counted from 1 in each part.
    trained = np.bincount(series[~test], minlength=ids.size)
    return _panel(table, CUTOFF + np.where(test, steps, steps - trained[series]))


def _carparts(path: Path) -> pa.Table:
    """The last 12 months are the test. What is missing counts as 0, as in the figures of others."""
    table = pq.read_table(path)
    steps = table["t"].to_numpy()
    filled = pc.fill_null(pc.if_else(pc.is_nan(table["y"]), None, table["y"]), 0.0)
    return _panel(
        table.set_column(2, "y", filled), CUTOFF + (steps - steps.max() + CARPARTS_HORIZON)
    )


def _panel(table: pa.Table, months: np.ndarray) -> pa.Table:
    stamps = pa.array(months.astype("datetime64[us]"))
    return pa.table({"unique_id": table["unique_id"], "ds": stamps, "y": table["y"]})


READERS: dict[str, Callable[[Path], pa.Table]] = {"m3_monthly": _m3, "carparts_monthly": _carparts}
