"""What a shard's series add up to, path by path: over periods, and over stores and products."""

from collections.abc import Mapping

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.forecast import Forecast
from services.forecast.engine.paths import Simulation, dependence
from services.forecast.shards.data import Place
from services.forecast.shards.figures import LEVELS
from services.forecast.shards.sums import PRODUCT, TOTAL, Singles, Sums, spread_of

DRAWS = 100
"""Of paths. The 10 % quantile of a hundred is off by about 3 percent points of chance."""
ACROSS = ("store", "store_region", "category", "style")
"""What series of several shards have in common, where it is known."""
MOST_CELLS = 32_000
"""Groups x periods of a level, in a shard: their paths take 13 MB. A level of more is left out."""


def totals_of(made: Forecast, place: Place) -> tuple[Floats, Sums]:
    """Simulates a forecast and adds it up. The same forecast gives the same totals.

    Returns:
        P10, P50, P90 of each series over its first 1, 2, ... periods together, (3, series, ahead);
        and the sums of groups.
    """
    panel, ahead = made.panel, made.mean.shape[1]
    learnt = dependence(panel, made.held, made.calibration)
    keys = {name: np.array(codes, dtype=np.int64) for name, codes in place.keys.items()}
    simulated = Simulation(
        panel, made.mean, made.calibration, learnt, DRAWS, part=place.shard, keys=keys
    )
    groups = _groups(panel.static, panel.series, ahead)
    cumulative = np.zeros((len(LEVELS), panel.series, ahead))
    sums = {
        name: np.zeros((DRAWS, int(codes.max()) + 1, ahead), dtype=np.float32)
        for name, codes in groups.items()
    }
    for rows, paths in simulated.chunks():
        cumulative[:, rows] = np.quantile(paths.cumsum(axis=2), LEVELS, axis=0)
        for name, codes in groups.items():
            _add(sums[name], paths, codes[rows])
    # Of one period there is no need to simulate: it is what is forecast.
    cumulative[:, :, :1] = made.quantiles(LEVELS)[:, :, :1]
    means = {name: _summed(made.mean, codes) for name, codes in groups.items()}
    own = {name: spread_of(sums.pop(name)) for name in (PRODUCT,) if name in sums}
    return np.maximum.accumulate(cumulative, axis=2), Sums(means, sums, own)


def _groups(static: Mapping[str, Integers], series: int, ahead: int) -> dict[str, Integers]:
    """The code of each series, from 0, by level."""
    found = {TOTAL: np.zeros(series, dtype=np.int64)}
    for name in ACROSS:
        if name in static and (int(static[name].max(initial=0)) + 1) * ahead <= MOST_CELLS:
            found[name] = static[name]
    if PRODUCT in static:
        found[PRODUCT] = static[PRODUCT]
    return found


def _add(sums: Singles, paths: Floats, codes: Integers) -> None:
    """Adds (draws, rows, ahead) to the groups of the rows."""
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    sums[:, present] += np.add.reduceat(paths[:, order], starts, axis=1).astype(np.float32)


def _summed(values: Floats, codes: Integers) -> Floats:
    sums = np.zeros((int(codes.max()) + 1, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums
