"""Scores forecasts in a file, whoever made them, in one way for all."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.forecast.panels import Spec
from cli.panels import run
from cli.panels.cut import cut
from cli.panels.rows import Columns, Rows, read
from cli.panels.source import Source
from services.forecast import metrics
from services.forecast.engine.period import Period

NAMES = ("mean", "p10", "p50", "p90")
FIGURES = ("rmsse", "mase", "wmape", "bias", "wrmsse", "spl", "coverage")


class Scorer:
    """Holds a panel, for the forecasts of many methods."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._rows = read(Source(Path(spec.path)), Columns(weight=spec.weight))
        self._cutoffs = run.cutoffs(spec.cutoffs, self._rows)

    @property
    def series(self) -> int:
        return len(self._rows.ids)

    def score(self, path: Path) -> dict[str, float]:
        """Figures averaged over the cutoffs, as `judge/score.py` defines them.

        With a seasonal MASE (`mase_season` over 1) `mase` is that, and `mase_1` the usual one.
        """
        table = pq.read_table(path)
        each = [self._at(cutoff, table) for cutoff in self._cutoffs]
        means = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
        return {name: value for name, value in means.items() if np.isfinite(value)}

    def _at(self, cutoff: run.Cutoff, table: pa.Table) -> dict[str, float]:
        rows, spec = self._rows, self._spec
        made = cut(rows, Period(spec.period), cutoff.last, spec.horizon)
        part = table.filter(pc.equal(table["cutoff"].cast(pa.timestamp("us")), cutoff.bears.item()))
        columns = _matched(rows, made.rows, part)
        shape = (made.panel.series, spec.horizon)
        grids = []
        for values in (rows.units[made.rows], *columns):
            grid = np.full(shape, np.nan)
            grid[made.row_series, made.row_steps] = values
            grids.append(grid)
        actual, mean, quantiles = grids[0], grids[1], np.stack(grids[2:])
        figures = run.figures(made, actual, mean, quantiles)
        if spec.mase_season > 1:
            scale = metrics.seasonal_scale(made.recorded, spec.mase_season)
            figures["mase_1"], figures["mase"] = (
                figures["mase"], metrics.mase(actual, mean, scale),
            )  # fmt: skip
        return figures


def _matched(rows: Rows, due: np.ndarray, part: pa.Table) -> list[np.ndarray]:
    """The columns of ``part`` in the order of the rows that are ``due``.

    Raises:
        AssertionError: a row that is due has no forecast, or more than one.
    """
    series = pc.index_in(part["unique_id"].cast(rows.ids.type), rows.ids).to_numpy()
    moments = part["ds"].cast(pa.timestamp("us")).to_numpy().astype("datetime64[us]")
    order = np.lexsort((moments, series))
    wanted = rows.stamps.moments[rows.stamps.codes[due]]
    assert part.num_rows == due.size, f"{part.num_rows} forecasts of {due.size} rows"
    assert (series[order] == rows.series[due]).all(), "other series than asked for"
    assert (moments[order] == wanted).all(), "other dates than asked for"
    found = [part[name].to_numpy()[order] for name in NAMES]
    assert all(np.isfinite(column).all() for column in found), "a forecast is not finite"
    return found
