"""Runs the engine at every cutoff of a panel, and scores it where the panel tells what happened."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cli.panels import forecasts, periods, stamps
from cli.panels.cut import Cut, cut
from cli.panels.rows import Rows
from cli.panels.values import Floats
from cli.problems import Problem
from services.forecast import metrics
from services.forecast.engine.forecast import Settings, forecast
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

LEAST_DATES = 3  # Fewer do not tell how long a period is.

Method = Callable[[Panel], tuple[Floats, Floats]]
"""The mean, (series, ahead), and P10, P50, P90, (3, series, ahead), of a panel's future."""


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The last moment that may be seen, and what the forecasts bear as their cutoff."""

    last: np.datetime64
    bears: np.datetime64

    def __str__(self) -> str:
        day = self.bears.astype("datetime64[D]")
        return str(day if day == self.bears else self.bears.astype("datetime64[m]"))


@dataclass(frozen=True, slots=True)
class Result:
    """One cutoff."""

    forecasts: pa.Table
    figures: dict[str, float]  # NaN where the panel ends too early to say.
    series: int
    gaps: int
    gaps_are_zero: bool
    seconds: float
    cpu_seconds: float


def cutoffs(texts: Sequence[str], rows: Rows) -> list[Cutoff]:
    """The cutoffs that are asked for, ascending, each once.

    Raises:
        Problem: one is no date.
    """
    found = {Cutoff(*stamps.cutoff(text, rows.stamps)) for text in texts if text.strip()}
    if not found:
        raise Problem("no cutoff", "give the last date to be seen, such as --cutoffs 2026-03-01")
    return sorted(found, key=lambda each: each.last)


def period_of(rows: Rows, said: str | None, first: Cutoff) -> Period:
    """The period that was said, or that of the rows up to the first cutoff, or of all rows."""
    if said is not None:
        return Period(said)
    seen = rows.stamps.moments[rows.stamps.codes] <= first.last
    if np.unique(rows.days[seen]).size < LEAST_DATES:
        seen[:] = True
    return Period(periods.infer(rows.series[seen], rows.days[seen]))


def engine(settings: Settings) -> Method:
    """The engine as a method."""

    def run(panel: Panel) -> tuple[Floats, Floats]:
        made = forecast(panel, settings)
        return made.mean, made.quantiles(forecasts.LEVELS)

    return run


@dataclass(frozen=True, slots=True)
class Backtest:
    """All cutoffs of a panel."""

    period: Period
    results: dict[Cutoff, Result]

    def mean(self) -> dict[str, float]:
        """Figures, averaged over the cutoffs at which they are defined."""
        figures = [result.figures for result in self.results.values()]
        return {name: _mean([each[name] for each in figures]) for name in figures[0]}


def backtest(
    rows: Rows,
    asked: Sequence[Cutoff],
    period: Period,
    horizon: int,
    method: Method,
    report: Callable[[float], None] = lambda _: None,
) -> Backtest:
    """Forecasts and scores every cutoff. ``report`` takes the share that is done."""
    results = {}
    for cutoff in asked:
        results[cutoff] = run(rows, period, cutoff, horizon, method)
        report(len(results) / len(asked))
    return Backtest(period, results)


def run(rows: Rows, period: Period, cutoff: Cutoff, horizon: int, method: Method) -> Result:
    """Forecasts one cutoff. What is scored is what the file says, negative units included."""
    made = cut(rows, period, cutoff.last, horizon)
    wall, cpu = time.perf_counter(), time.process_time()
    mean, quantiles = method(made.panel)
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    _check(mean, quantiles, made.panel)
    return Result(
        forecasts.table(rows, made, cutoff.bears, mean, quantiles),
        score(rows, made, mean, quantiles),
        made.panel.series, made.gaps, made.gaps_are_zero, seconds, cpu_seconds,
    )  # fmt: skip


def score(rows: Rows, made: Cut, mean: Floats, quantiles: Floats) -> dict[str, float]:
    """Figures of a cutoff by name. Only what is due is looked at."""
    actual = np.full(mean.shape, np.nan)
    actual[made.row_series, made.row_steps] = rows.units[made.rows]
    return figures(made, actual, mean, quantiles)


def figures(made: Cut, actual: Floats, mean: Floats, quantiles: Floats) -> dict[str, float]:
    """Figures by name. Arrays are (series, horizon), ``actual`` with NaN where nothing is due."""
    scale = metrics.scales(made.recorded)
    weights = made.panel.weights
    return {
        "rmsse": metrics.rmsse(actual, mean, scale),
        "mase": metrics.mase(actual, mean, scale.mean_absolute),
        "wmape": metrics.wmape(actual, mean),
        "bias": metrics.bias(actual, mean),
        "wrmsse": np.nan if weights is None else metrics.wrmsse(actual, mean, scale, weights),
        "spl": metrics.spl(actual, quantiles, scale),
        "coverage": metrics.coverage(actual, quantiles[0], quantiles[2]),
    }


def _check(mean: Floats, quantiles: Floats, panel: Panel) -> None:
    """What every forecast promises. That it does not hold would be a fault of the engine."""
    shape = (panel.series, panel.ahead)
    assert mean.shape == shape, f"{mean.shape=}, not {shape}"  # noqa: S101
    for values in (mean, *quantiles):
        assert np.isfinite(values).all(), "not finite"  # noqa: S101
        assert (values >= 0).all(), "negative"  # noqa: S101
    assert (np.diff(quantiles, axis=0) >= 0).all(), "quantiles that cross"  # noqa: S101


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if np.isfinite(value)]
    return float(np.mean(defined)) if defined else float("nan")
