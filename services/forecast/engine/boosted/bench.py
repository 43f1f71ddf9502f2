"""The workbench of one origin: the recent past of all series, taken up a block at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.boosted import groups
from services.forecast.engine.boosted.features import LOOK_BACK, Block, Layout
from services.forecast.engine.boosted.history import History, read
from services.forecast.engine.boosted.said import Said
from services.forecast.engine.panel import Panel

BLOCK_CELLS = 1_500_000  # Of a block's history, of which there are about ten arrays: 120 MB.


@dataclass(frozen=True, slots=True)
class Bench:
    """``first`` is the column of the panel at which the bench's own begins."""

    first: int
    panel: Panel
    said: Said
    groupings: Sequence[groups.Grouping]
    layout: Layout
    kept: Block | None  # The only block, if one is enough.

    def blocks(self) -> Iterator[Block]:
        if self.kept is not None:
            yield self.kept
            return
        for rows in _slices(self.panel):
            past = _past(self.panel, self.said, self.first, rows)
            yield Block(rows, *past, self.groupings, self.layout)


def lay(panel: Panel, said: Said, earliest: int, layout: Layout) -> Bench:
    """Lays out the past of ``said.origin``, as much of it as rows from ``earliest`` on need."""
    ahead = said.mean.shape[1]
    first = max(said.first, earliest - LOOK_BACK[panel.period], 0)
    recent = since(panel.until(said.origin, ahead), first)
    size = float(np.nanmedian(means)) if (means := _means(recent)).size else 1.0
    sums = groups.Sums(groups.ways(panel.static, panel.series), size)
    slices = _slices(recent)
    for rows in slices:
        part, past = _past(recent, said, first, rows)
        sums.add(rows, past, _multiplier(said, first, rows))
    groupings = sums.groupings()
    kept = Block(rows, part, past, groupings, layout) if len(slices) == 1 else None
    return Bench(first, recent, said, groupings, layout, kept)


def since(panel: Panel, first: int) -> Panel:
    """The panel without its columns before ``first``."""
    return replace(
        panel,
        dates=panel.dates[first:],
        units=panel.units[:, first:],
        known={name: values[:, first:] for name, values in panel.known.items()},
        exposure=None if panel.exposure is None else panel.exposure[:, first:],
    )


def _means(panel: Panel) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Means of the series that sold."""
    totals = np.nansum(panel.units, axis=1)
    counts = np.maximum(np.isfinite(panel.units).sum(axis=1), 1)
    return np.asarray((totals / counts)[totals > 0])


def _slices(panel: Panel) -> list[slice]:
    size = max(1, BLOCK_CELLS // panel.dates.size)
    return [slice(start, min(start + size, panel.series)) for start in range(0, panel.series, size)]


def _past(panel: Panel, said: Said, first: int, rows: slice) -> tuple[Panel, History]:
    part = panel.of(np.arange(rows.start, rows.stop))
    return part, read(part, _multiplier(said, first, rows))


def _multiplier(
    said: Said, first: int, rows: slice
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return said.log_multiplier[rows, first - said.first :]
