"""`make bench-season COUNT=10`: seeds. Prints tables, and one JSON object as its last line.

With PICTURES= a folder, the pictures of docs/forecast/season.md are drawn into it.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.season import launches, pictures, popular, stock_outs, trending, what_ifs
from proofs import report
from services.forecast.engine.period import Period
from services.forecast.engine.trends import State

SEEDS = 10
FIRST_SEED = 101  # Lower ones are for choosing.
WEEKS = (40, 60, 130)  # Of history: without a year, with one, with two.
LARGEST_BIAS = 0.05
LARGEST_WHAT_IF_BIAS = 0.2

T = TypeVar("T")


def _over(what: str, seeds: range, measure: Callable[[int], T]) -> list[T]:
    found = []
    with report.progress(what, len(seeds)) as bar:
        for seed in seeds:
            found.append(measure(seed))
            bar.advance()
    report.note(f"{what}: {len(seeds)} seeds")
    return found


def _rounded(values: Any) -> Any:
    if isinstance(values, dict):
        return {str(name): _rounded(value) for name, value in values.items()}
    return round(float(values), 3)


def _table(title: str, rows: dict[Any, dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    print(f"\n| {title} | " + " | ".join(names) + " |")
    print("|" + "---|" * (len(names) + 1))
    for row, values in rows.items():
        cells = (f"{values[name]:.3f}" if name in values else "" for name in names)
        print(f"| {row} | " + " | ".join(cells) + " |")


def _stock_outs(seeds: range) -> dict[str, Any]:
    rows = _over("stock-outs", seeds, stock_outs.measure)
    levels = stock_outs.figures([row[0] for row in rows])
    forecasts = stock_outs.figures([row[1] for row in rows])
    for title, part in (("level of the past", levels), ("forecast of 28 days", forecasts)):
        _table(title, part)
    best = forecasts["all_demand_known"]["bias"]
    return {
        "stock_out_share": np.mean([row[2] for row in rows]),
        "lost_share": np.mean([row[3] for row in rows]),
        # Of the level against the truth; and of the forecast against the one from all demand,
        # which shares its error about the season ahead.
        "stock_out_bias": levels["engine"]["bias"],
        "stock_out_forecast_bias": (1 + forecasts["engine"]["bias"]) / (1 + best) - 1,
        "levels": levels,
        "forecasts": forecasts,
    }


def _launches(seeds: range) -> dict[int, dict[str, dict[str, float]]]:
    rows = _over("launches", seeds, launches.measure)
    found = {
        age: launches.figures([row for one in rows for row in one[age]])
        for age in launches.AGES_DAYS
    }
    errors = {
        f"{age} days": {way: values["wmape"] for way, values in ways.items()}
        for age, ways in found.items()
    }
    _table("wMAPE after", errors)
    return found


def _trends(seeds: range) -> dict[int, dict[str, float]]:
    found = {}
    for weeks in WEEKS:
        seen = _over(f"trends of {weeks} weeks", seeds, partial(trending.measure, weeks=weeks))
        found[weeks] = trending.figures(seen)
        counts = trending.confusion(seen)
        names = [state.name.lower() for state in State]
        _table(
            f"true state, {weeks} weeks",
            {
                name: dict(zip(names, row.tolist(), strict=True))
                for name, row in zip(names, counts, strict=True)
            },
        )
    _table("trends, weeks of history", found)
    return found


def _what_ifs(seeds: range) -> dict[str, dict[str, dict[str, float]]]:
    found = {}
    for period in (Period.DAY, Period.WEEK):
        name = period.name.lower()
        rows = _over(f"what-ifs by {name}", seeds, partial(what_ifs.measure, period=period))
        found[name] = what_ifs.figures(np.concatenate(rows))
        _table(f"units a {name} without promotions", found[name])
    return found


def measure(count: int) -> dict[str, Any]:
    seeds = range(FIRST_SEED, FIRST_SEED + count)
    started = time.process_time()
    ranks = _over("popularity", seeds, popular.measure)
    figures = {
        "seeds": count,
        **_stock_outs(seeds),
        "cold_start": _launches(seeds),
        "trends": _trends(seeds),
        "what_ifs": _what_ifs(seeds),
        "popularity": {name: np.mean([one[name] for one in ranks]) for name in ranks[0]},
    }
    _table("popularity", {"": figures["popularity"]})
    figures["cpu_s"] = time.process_time() - started
    folder = os.environ.get("PICTURES")
    if folder:
        pictures.draw(Path(folder), figures)
    found: dict[str, Any] = _rounded(figures)
    found["stock_out_bias_size"] = abs(found["stock_out_bias"])
    found["stock_out_forecast_bias_size"] = abs(found["stock_out_forecast_bias"])
    found["what_if_bias_size"] = max(
        abs(row["bias"])
        for rows in found["what_ifs"].values()
        for name, row in rows.items()
        if not name.startswith("below")
    )
    return found


if __name__ == "__main__":
    limits = {
        "stock_out_bias_size": LARGEST_BIAS,
        "stock_out_forecast_bias_size": LARGEST_BIAS,
        "what_if_bias_size": LARGEST_WHAT_IF_BIAS,
    }
    promise = report.Promise(at_most=limits)
    report.close(measure(report.count(SEEDS)), promise)
    sys.stdout.flush()
