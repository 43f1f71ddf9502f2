"""What a shard's series add up to, path by path: over periods, and over stores and products.

Quantiles cannot be added. The paths of a simulation can: those of a group that has series in
several shards are added up when all of them are done.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.forecast import Forecast
from services.forecast.engine.paths import Simulation, dependence
from services.forecast.shard_figures import LEVELS

Singles = NDArray[np.float32]

DRAWS = 100
"""Of paths. The 10 % quantile of a hundred is off by about 3 percent points of chance."""
TOTAL = "total"
PRODUCT = "product"
ATTRIBUTES = ("store", "store_region", "category", "style", PRODUCT)
"""What is added up by, where it is known. Products are whole in a shard, the others are not."""
MOST_GROUPS = 1_000
"""Of a level: paths of a group take 400 bytes a period."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of simulated paths, and of means, which add up exactly."""

    cumulative: Floats  # (3, series, ahead). P10, P50, P90 of the first 1, 2, ... periods together.
    means: Mapping[str, Floats]  # By level, (groups, ahead).
    paths: Mapping[str, Singles]  # By level, (draws, groups, ahead).


def levels_of(static: Mapping[str, Integers]) -> dict[str, Integers]:
    """The group of each series, from 0, by level."""
    series = next(iter(static.values())).size if static else 0
    found = {TOTAL: np.zeros(series, dtype=np.int64)}
    for name in ATTRIBUTES:
        if name in static and int(static[name].max(initial=0)) < MOST_GROUPS:
            found[name] = static[name]
    return found


def totals_of(made: Forecast) -> Totals:
    """Simulates a forecast and adds it up. The same forecast gives the same totals."""
    panel = made.panel
    learnt = dependence(panel, made.held, made.calibration)
    simulated = Simulation(panel, made.mean, made.calibration, learnt, DRAWS)
    levels = levels_of(panel.static)
    ahead = made.mean.shape[1]
    cumulative = np.zeros((len(LEVELS), panel.series, ahead))
    sums = {
        name: np.zeros((DRAWS, int(codes.max(initial=0)) + 1, ahead), dtype=np.float32)
        for name, codes in levels.items()
    }
    for rows, paths in simulated.chunks():
        cumulative[:, rows] = np.quantile(paths.cumsum(axis=2), LEVELS, axis=0)
        for name, codes in levels.items():
            _add(sums[name], paths, codes[rows])
    means = {name: _summed(made.mean, codes) for name, codes in levels.items()}
    return Totals(cumulative, means, sums)


def _add(sums: Singles, paths: Floats, codes: Integers) -> None:
    """Adds (draws, rows, ahead) to the groups of the rows."""
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    sums[:, present] += np.add.reduceat(paths[:, order], starts, axis=1).astype(np.float32)


def _summed(values: Floats, codes: Integers) -> Floats:
    sums = np.zeros((int(codes.max(initial=0)) + 1, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums
