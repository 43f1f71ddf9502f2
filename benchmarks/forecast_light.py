"""Accuracy and cost of the lowest forecasting tier on a panel of daily sales.

    python benchmarks/forecast_light.py PANEL.parquet --cutoffs 2011-10-14 2011-11-11 --horizon 28

PANEL has the columns unique_id, ds and y: one row a day and series, no gaps inside a series;
negative days count as 0. Every cutoff is forecast from the rows up to it and scored on the
`horizon` days after it, beside the seasonal naive forecast (the last week, again and again), in the
same run.

Figures are means over cutoffs, of the series that had begun by the cutoff: rmsse, wmape, spl (mean
scaled pinball loss of P10, P50, P90), coverage of [P10, P90] (nominal 0.80; above it where most
days sell nothing, since [0, P90] then holds 90 %), and the coverage that the run itself reports
from days it held back. cpu_ms_per_series is process time of one whole run (backtest, calibration,
trends) over the number of series. The last line is one JSON object.

--forecasts writes the forecasts as Parquet (unique_id, cutoff, ds, mean, p10, p50, p90), for other
scorers. Needs numpy and pyarrow. Choose with other cutoffs than you report with.
"""

import argparse
import json
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.forecast import daily, metrics
from services.forecast.panel import WEEK_DAYS, Floats, Panel


@dataclass(frozen=True)
class Loaded:
    ids: np.ndarray
    panel: Panel
    starts: Floats  # (series,). Row of the first observation.


def load(path: Path) -> Loaded:
    table = pq.read_table(path, columns=["unique_id", "ds", "y"])
    ids, series = np.unique(table["unique_id"].to_numpy().astype(str), return_inverse=True)
    days = table["ds"].to_numpy().astype("datetime64[D]")
    first = days.min()
    rows = (days - first).astype(int)
    units = np.zeros((int(rows.max()) + 1, ids.size))
    units[rows, series] = np.maximum(table["y"].to_numpy().astype(float), 0.0)
    starts = np.full(ids.size, units.shape[0])
    np.minimum.at(starts, series, rows)
    return Loaded(ids, Panel(first.astype(date), units, np.zeros(ids.size, dtype=np.int64)), starts)


@dataclass(frozen=True)
class Scored:
    figures: dict[str, dict[str, float]]  # By model.
    forecasts: pa.Table


def score(loaded: Loaded, cutoff: date, horizon: int) -> Scored:
    days = (cutoff - loaded.panel.first_date).days + 1
    if not 0 < days <= loaded.panel.days - horizon:
        raise SystemExit(f"cutoff {cutoff}: needs {horizon} days of the panel after it")
    begun = loaded.starts < days
    units = loaded.panel.units[:, begun]
    past = Panel(loaded.panel.first_date, units[:days], loaded.panel.stores[begun])
    actual, scale = units[days : days + horizon], metrics.scales(past.units)
    started = time.process_time()
    outcome = daily.forecast(past, np.arange(past.units.shape[1]), horizon)
    spent = time.process_time() - started
    low, _, high = outcome.quantiles
    naive = np.resize(past.units[-WEEK_DAYS:], (horizon, past.units.shape[1]))
    figures = {
        "tsb_calendar": {
            "rmsse": metrics.rmsse(actual, outcome.mean, scale),
            "wmape": metrics.wape(actual, outcome.mean),
            "spl": metrics.spl(actual, outcome.quantiles, scale),
            "coverage": metrics.coverage(actual, low, high),
            "coverage_reported": outcome.score.coverage,
            "cpu_ms_per_series": 1000 * spent / past.units.shape[1],
        },
        "seasonal_naive": {
            "rmsse": metrics.rmsse(actual, naive, scale),
            "wmape": metrics.wape(actual, naive),
            "spl": metrics.spl(actual, np.stack([naive] * 3), scale),
        },
    }
    return Scored(figures, _table(loaded.ids[begun], cutoff, outcome))


def _table(ids: np.ndarray, cutoff: date, outcome: daily.Outcome) -> pa.Table:
    horizon, series = outcome.mean.shape
    days = np.datetime64(cutoff) + np.arange(1, horizon + 1)
    columns = {
        "unique_id": np.tile(ids, horizon),
        "cutoff": np.full(horizon * series, np.datetime64(cutoff)),
        "ds": np.repeat(days, series),
        "mean": outcome.mean.ravel(),
    }
    for name, quantile in zip(("p10", "p50", "p90"), outcome.quantiles, strict=True):
        columns[name] = quantile.ravel()
    return pa.table(columns)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("panel", type=Path)
    parser.add_argument("--cutoffs", nargs="+", type=date.fromisoformat, required=True)
    parser.add_argument("--horizon", type=int, default=28)
    parser.add_argument("--forecasts", type=Path)
    args = parser.parse_args()
    loaded = load(args.panel)
    scored = {str(cutoff): score(loaded, cutoff, args.horizon) for cutoff in args.cutoffs}
    if args.forecasts:
        pq.write_table(pa.concat_tables(each.forecasts for each in scored.values()), args.forecasts)
    scores = {cutoff: each.figures for cutoff, each in scored.items()}
    means = {
        model: {
            figure: round(float(np.mean([each[model][figure] for each in scores.values()])), 4)
            for figure in figures
        }
        for model, figures in next(iter(scores.values())).items()
    }
    for cutoff, models in scores.items():
        for model, figures in models.items():
            print(cutoff, model, {name: round(value, 4) for name, value in figures.items()})
    shape = {"panel": args.panel.name, "series": int(loaded.starts.size), "horizon": args.horizon}
    print(json.dumps({**shape, "cutoffs": list(scores), **means}))


if __name__ == "__main__":
    main()
