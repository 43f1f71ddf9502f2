"""The figures of the 24 methods of the M3 competition, from the forecasts that they submitted.

That `metrics.smape` finds what was published is the proof that it reckons as the field does.
"""

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.forecast.panels import M3_HORIZON, data
from services.forecast import metrics

# sMAPE of all series and of the monthly ones, as published.
PUBLISHED = {
    "THETA": (13.05, 13.89),
    "ForecastPro": (13.23, 13.90),
    "COMB S-H-D": (13.51, 14.47),
    "NAIVE2": (15.46, 16.89),
}


def measure() -> dict[str, object]:
    """The sMAPE of each method, and by how much the published ones are missed at most."""
    series, actual, monthly = _actual()
    forecasts = pq.read_table(data() / "m3_forecasts_24methods.parquet")
    found: dict[str, list[float]] = {}
    for method in sorted(pc.unique(forecasts["method"]).to_pylist()):
        part = forecasts.filter(pc.equal(forecasts["method"], method))
        mean = _grid(series, part["unique_id"].to_numpy(), part["h"].to_numpy(), part["yhat"])
        found[method] = [
            round(metrics.smape(actual[rows], mean[rows]), 2) for rows in (slice(None), monthly)
        ]
    missed = [
        abs(found[method][which] - published[which])
        for method, published in PUBLISHED.items()
        for which in (0, 1)
    ]
    return {"methods": len(found), "smape": found, "off_by": round(max(missed), 3)}


def _actual() -> tuple[np.ndarray, metrics.Floats, np.ndarray]:
    table = pq.read_table(data() / "m3.parquet")
    table = table.filter(pc.equal(table["part"], "test"))
    ids = table["unique_id"].to_numpy()
    series, first, codes = np.unique(ids, return_index=True, return_inverse=True)
    steps = table["t"].to_numpy()
    start = np.full(series.size, np.iinfo(np.int64).max)
    np.minimum.at(start, codes, steps)
    monthly = table["period"].to_numpy()[first] == "MONTHLY"
    return series, _grid(series, ids, steps - start[codes] + 1, table["y"]), monthly


def _grid(series: np.ndarray, ids: np.ndarray, steps: np.ndarray, values: object) -> metrics.Floats:
    grid = np.full((series.size, M3_HORIZON), np.nan)
    grid[np.searchsorted(series, ids), steps - 1] = values
    return grid
