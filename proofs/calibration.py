"""Intervals hold what they say: overall, and in every part of every panel.

    make prove-calibration

Forecasts real panels (the folder DATA, default ../shared/data) and COUNT= seeds (20) of the season
simulator at past cutoffs with the light effort, and counts how much of what happened lies between
P10 and P90, both ends included: 80 % is nominal. Totals over the horizon, from simulated paths, are
reported beside it.
"""

import sys
from collections.abc import Iterable, Iterator

import numpy as np

from benchmarks.forecast.panels import data
from proofs import report
from proofs.calibrated.cases import SEASON, Case, of_panel, of_season, panels
from proofs.calibrated.parts import parts
from services.forecast.engine.arrays import Floats
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Forecast, Settings, forecast
from services.forecast.engine.intervals.coverage import Coverage, by_segment, of, together
from services.forecast.engine.paths import Simulation, dependence

SEEDS = 20
LEVELS = (0.1, 0.9)
NOMINAL = 0.8
OVERALL_POINTS, SEGMENT_POINTS = 2.0, 5.0
LEAST_SERIES = 200

TOTALS = "totals"

Counted = dict[str, list[Coverage]]


def counted(cases: Iterable[Case], bar: report.Bar) -> Counted:
    """Coverage of each case, overall ("") and by part."""
    found: Counted = {}
    for case in cases:
        made = forecast(case.panel, Settings(Effort.LIGHT))
        low, high = made.quantiles(LEVELS)
        found.setdefault("", []).append(of(case.actual, low, high))
        found.setdefault(TOTALS, []).append(of(*totals(case, made)))
        for name, codes in by_segment(case.actual, low, high, parts(case)).items():
            for code, coverage in codes.items():
                found.setdefault(f"{name}={code}", []).append(coverage)
        bar.advance()
    return found


def totals(case: Case, made: Forecast) -> tuple[Floats, Floats, Floats]:
    """Each series' total over the horizon, and P10 and P90 of it from paths; all (series, 1)."""
    hangs = dependence(made.panel, made.held, made.calibration)
    low, high = Simulation(made.panel, made.mean, made.calibration, hangs).totals(LEVELS)
    return case.actual.sum(axis=1)[:, np.newaxis], low[:, np.newaxis], high[:, np.newaxis]


def figures(every: dict[str, Counted]) -> report.Figures:
    """By panel, and over all; by part of each panel those with enough series to judge."""
    sums = {
        panel: {name: together(each, same_series=panel != SEASON) for name, each in found.items()}
        for panel, found in every.items()
    }
    shares = [found[""].share for found in sums.values()]
    segments = dict(_judged(sums))
    return {
        "coverage": report.rounded(sum(shares) / len(shares)),
        "panels": {panel: report.rounded(found[""].share) for panel, found in sums.items()},
        "totals": {panel: report.rounded(found[TOTALS].share) for panel, found in sums.items()},
        "segments": segments,
        "judged_segments": len(segments),
        "overall_points_off": _points(sum(shares) / len(shares)),
        "panel_points_off": max(_points(share) for share in shares),
        "segment_points_off": max(map(_points, segments.values())),
    }


def _judged(sums: dict[str, dict[str, Coverage]]) -> Iterator[tuple[str, float]]:
    for panel, found in sums.items():
        for name, coverage in found.items():
            if name not in ("", TOTALS) and coverage.series >= LEAST_SERIES:
                yield f"{panel} {name}", report.rounded(coverage.share)


def _points(share: float) -> float:
    return round(100 * abs(share - NOMINAL), 2)


def main() -> None:
    real, seeds = panels(), report.count(SEEDS)
    if not real:
        sys.exit(f"prove-calibration: no panel in {data()}: say where with DATA=")
    total = sum(len(spec.validation) + len(spec.cutoffs) for spec in real.values()) + seeds
    every: dict[str, Counted] = {}
    with report.progress("panels and seasons", total) as bar:
        for name, spec in real.items():
            every[name] = counted(of_panel(spec), bar)
            report.note(f"{name:20} {together(every[name][''], same_series=True).share:.4f}")
        every[SEASON] = counted(map(of_season, range(seeds)), bar)
        report.note(f"{SEASON:20} {together(every[SEASON][''], same_series=False).share:.4f}")
    found = figures(every)
    for name, share in found["segments"].items():
        report.note(f"{share:.4f}  {name}")
    limits = {"overall_points_off": OVERALL_POINTS, "segment_points_off": SEGMENT_POINTS}
    report.close(found, report.Promise(at_most=limits))


if __name__ == "__main__":
    main()
