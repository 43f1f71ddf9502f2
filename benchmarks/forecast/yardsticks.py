"""One yardstick in a process and an environment of its own: `yardsticks.py OUT METHOD`.

Runs with the Python of `.venv-yardsticks`; imports nothing of Hemline but the cost of a process.
Reads a panel's Spec as JSON from standard input; writes forecasts and cost as the engine does.
`cpu_s` is for means alone; what conformal intervals cost on top is `cpu_intervals_s`.

    seasonal_naive, tsb, auto_ets   statsforecast, with the panel's season
    mlforecast                      LightGBM on lags, rolling statistics, calendar, and the columns
                                    that are known in advance or say what a series is
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import RollingMean, RollingStd
from mlforecast.utils import PredictionIntervals
from statsforecast import StatsForecast
from statsforecast.models import TSB, AutoETS, SeasonalNaive
from statsforecast.utils import ConformalIntervals

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.forecast.cost import peak_mb

LEVEL = 80
WINDOWS = 3
LAGS = {
    "D": [1, 2, 3, 7, 14, 21, 28, 56],
    "W": [1, 2, 3, 4, 8, 13, 26, 52],
    "M": [1, 2, 3, 4, 6, 9, 12, 24],
}
ROLLING = {"D": (7, 28, 56), "W": (4, 13, 26), "M": (3, 6, 12)}
CALENDAR = {"D": ["dayofweek", "day", "month"], "W": ["week", "month"], "M": ["month"]}
TREES = {"n_estimators": 400, "learning_rate": 0.05, "num_leaves": 63}
LONGEST_SEASON_OF_ETS = 24  # AutoETS takes no longer one; it is then asked for none.

Frame = pd.DataFrame


def main(spec: dict[str, Any], out: Path, method: str) -> None:
    warnings.simplefilter("ignore")
    panel = pd.read_parquet(spec["path"])
    panel["y"] = panel.y.astype(float).clip(lower=0)
    panel["unique_id"] = panel.unique_id.astype(str)
    panel = panel.sort_values(["unique_id", "ds"], ignore_index=True)
    for name in spec["static"]:
        panel[name] = panel[name].astype("category")
    weekday = pd.Timestamp(spec["cutoffs"][0]).strftime("%a").upper()
    spec["frequency"] = {"D": "D", "W": f"W-{weekday}", "M": "MS"}[spec["period"]]
    parts, point, intervals = [], 0.0, 0.0
    run = METHODS[method]
    for number, cutoff in enumerate(map(pd.Timestamp, spec["cutoffs"])):
        train, future = _split(panel, cutoff, spec["horizon"])
        if number == 0:
            _warm_up(run, spec, train, future)
        started = time.process_time()
        made = run(spec, train, future, LEVEL if method in WITH_INTERVALS else None)
        mean = made if "mean" in made else made.rename(columns={"p50": "mean"})
        mean = mean[["unique_id", "ds", "mean"]]
        point += time.process_time() - started
        started = time.process_time()
        if method in WITH_INTERVALS:
            quantiles = made
        elif spec["intervals"]:
            quantiles = run(spec, train, future, LEVEL)
        else:
            quantiles = made[["unique_id", "ds"]].assign(p10=np.nan, p50=np.nan, p90=np.nan)
        intervals += time.process_time() - started
        parts.append(_rows(future, cutoff, mean, quantiles))
    pd.concat(parts).to_parquet(out, index=False)
    cost = {"cpu_s": point, "peak_mb": peak_mb()}
    if spec["intervals"] and method not in WITH_INTERVALS:
        cost["cpu_intervals_s"] = intervals
    print(json.dumps({"cost": cost, "intervals": spec["intervals"] or method in WITH_INTERVALS}))


def _warm_up(run: Callable[..., Frame], spec: dict[str, Any], train: Frame, future: Frame) -> None:
    """Lets numba compile on a few series, which takes seconds that no longer run would notice."""
    few = train.unique_id.unique()[:3]
    run(spec, train[train.unique_id.isin(few)], future[future.unique_id.isin(few)], None)


def _split(panel: Frame, cutoff: pd.Timestamp, horizon: int) -> tuple[Frame, Frame]:
    """Training rows, and the next ``horizon`` rows of the series in them."""
    train = panel[panel.ds <= cutoff]
    later = panel[(panel.ds > cutoff) & panel.unique_id.isin(train.unique_id.unique())]
    return train, later.groupby("unique_id", sort=False).head(horizon).drop(columns="y")


def _rows(future: Frame, cutoff: pd.Timestamp, mean: Frame, quantiles: Frame) -> Frame:
    """Forecasts in the form of all. A series too short for intervals has its mean for all three."""
    keys = ["unique_id", "ds"]
    rows = future[keys].merge(mean, how="left", on=keys).merge(quantiles, how="left", on=keys)
    rows.insert(1, "cutoff", cutoff)
    for name in ("p10", "p50", "p90"):
        rows[name] = rows[name].fillna(rows["mean"])
    figures = ["mean", "p10", "p50", "p90"]
    rows[figures] = rows[figures].fillna(0.0).clip(lower=0.0)
    rows[figures[1:]] = np.sort(rows[figures[1:]].to_numpy(), axis=1)
    return rows


def _named(made: Frame, model: str, level: int | None) -> Frame:
    keys = made[["unique_id", "ds"]]
    if level is None:
        return keys.assign(mean=made[model])
    return keys.assign(
        p10=made[f"{model}-lo-{level}"], p50=made[model], p90=made[f"{model}-hi-{level}"]
    )


def _windows(train: Frame, horizon: int) -> tuple[int, pd.Index]:
    """How many windows of conformal errors, and the series that are long enough for them."""
    lengths = train.groupby("unique_id").size()
    for windows in range(WINDOWS, 1, -1):
        fit = lengths.index[lengths > windows * horizon]
        if len(fit) * 2 >= len(lengths):
            return windows, fit
    return 2, lengths.index[lengths > 2 * horizon]


def _statistical(model: Any, *, own_intervals: bool) -> Callable[..., Frame]:
    def run(spec: dict[str, Any], train: Frame, future: Frame, level: int | None) -> Frame:
        season = spec["season"]
        sales = train[["unique_id", "ds", "y"]]
        made_of: dict[str, Any] = {}
        if level is not None and not own_intervals:
            windows, fit = _windows(train, spec["horizon"])
            sales = sales[sales.unique_id.isin(fit)]
            made_of["prediction_intervals"] = ConformalIntervals(windows, spec["horizon"])
            if sales.empty:
                return future[["unique_id", "ds"]].assign(p10=np.nan, p50=np.nan, p90=np.nan)
        forecaster = StatsForecast([model(season)], freq=spec["frequency"], n_jobs=1)
        levels = None if level is None else [level]
        made = forecaster.forecast(spec["horizon"], sales, level=levels, **made_of)
        return _named(made.reset_index(drop="unique_id" in made), repr(model(season)), level)

    return run


def _ets(season: int) -> Any:
    return AutoETS(season_length=season if season <= LONGEST_SEASON_OF_ETS else 1)


def _boosted(spec: dict[str, Any], train: Frame, future: Frame, level: int | None) -> Frame:
    period, known, static = spec["period"], spec["known"], spec["static"]
    short, middle, long = ROLLING[period]
    forecaster = MLForecast(
        models={
            "lightgbm": lgb.LGBMRegressor(
                objective="tweedie", n_jobs=1, verbosity=-1, random_state=0, **TREES
            )
        },
        freq=spec["frequency"],
        lags=LAGS[period],
        lag_transforms={
            1: [
                RollingMean(short, min_samples=1), RollingMean(middle, min_samples=1),
                RollingMean(long, min_samples=1), RollingStd(short, min_samples=2),
                RollingStd(middle, min_samples=2),
            ]
        },
        date_features=CALENDAR[period],
        num_threads=1,
    )  # fmt: skip
    columns = ["unique_id", "ds", "y", *known, *static]
    fitting = train[columns]
    intervals = None
    if level is not None:
        windows, fit = _windows(train, spec["horizon"])
        fitting = fitting[fitting.unique_id.isin(fit)]
        intervals = PredictionIntervals(windows, spec["horizon"])
    # A row is used as soon as it has one lag: LightGBM takes missing ones.
    forecaster.fit(
        fitting, static_features=list(static), dropna=False, prediction_intervals=intervals
    )
    plan = future[["unique_id", "ds", *known]]
    plan = plan[plan.unique_id.isin(fitting.unique_id.unique())] if known else None
    levels = None if level is None else [level]
    return _named(forecaster.predict(spec["horizon"], X_df=plan, level=levels), "lightgbm", level)


METHODS: dict[str, Callable[..., Frame]] = {
    "seasonal_naive": _statistical(SeasonalNaive, own_intervals=True),
    "tsb": _statistical(lambda _: TSB(0.1, 0.1), own_intervals=False),
    "auto_ets": _statistical(_ets, own_intervals=True),
    "mlforecast": _boosted,
}
WITH_INTERVALS = ("seasonal_naive", "auto_ets")  # Theirs are formulas, and cost next to nothing.


if __name__ == "__main__":
    main(json.load(sys.stdin), Path(sys.argv[1]), sys.argv[2])
