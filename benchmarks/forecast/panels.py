"""The panels that are measured, their cutoffs, and what is known in advance.

DATA names the folder (default ../shared/data). None of the data is part of this repository.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.forecast.readers import CARPARTS_HORIZON, CUTOFF, CUTOFF_WEEK, READERS

SEASON = {"D": 7, "W": 52, "M": 12}
M3_HORIZON, M3_OTHER_HORIZON = 18, 8


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

ODD = (  # Measured where they are asked for by name: short pasts, and trends without season.
    Spec(
        name="online_retail_weekly",
        path="panels/online_retail_daily.parquet",
        period="W",
        horizon=4,
        cutoffs=("2011-10-10", "2011-11-07"),
        validation=("2011-08-15", "2011-09-12"),
        weight="spend",
    ),
    Spec(
        name="m3_short",
        path="m3.parquet",
        period="M",
        horizon=M3_HORIZON,
        cutoffs=(f"{CUTOFF}-01",),
        validation=(f"{CUTOFF - M3_HORIZON // 3}-01",),
        mase_season=12,
    ),
    Spec(
        name="m3_other",
        path="m3.parquet",
        period="W",
        horizon=M3_OTHER_HORIZON,
        cutoffs=(str(CUTOFF_WEEK),),
        validation=(str(CUTOFF_WEEK - 7 * M3_OTHER_HORIZON),),
    ),
)


def specs() -> dict[str, Spec]:
    """The panels by name, in the order of measuring. VALIDATION=1 moves them to earlier cutoffs."""
    every = {spec.name: spec for spec in (*LISTED, *ODD)}
    if os.environ.get("VALIDATION"):
        return {name: replace(spec, cutoffs=spec.validation) for name, spec in every.items()}
    return every


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
