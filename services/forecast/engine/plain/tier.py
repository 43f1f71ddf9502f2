"""The tier itself: candidates on a sample, a choice among them, and the chosen for every series."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.plain.choice import choose
from services.forecast.engine.plain.smoothing import COARSE, FINE
from services.forecast.engine.plain.workshop import Workshop

# Series worked on at once, at least and at most: bounds the memory, and is the sample to choose on.
BLOCK_SERIES = (200, 1000)
BLOCK_NUMBERS = 250_000  # Series times periods that a block has about, within those bounds.


@dataclass(frozen=True, slots=True)
class PlainTier:
    """Forecasts from sales alone.

    For each origin it looks back at a few earlier origins of its own, so that it may be asked about
    past origins as well: what it chose there, it chose without what came after.
    """

    name: str = "plain"

    def run(self, panel: Panel, origins: Sequence[int], ahead: int) -> list[Floats]:
        """Forecasts from each origin, (series, ahead). See `Tier.run`."""
        count = _blocks(panel)
        # Interleaved, so that each block, and the sample, has series from all over the panel.
        blocks = [np.arange(start, panel.series, count) for start in range(count)]
        sample = Workshop.of_sample(panel.of(blocks[0]), ahead, FINE if count == 1 else COARSE)
        choices = [choose(sample, origin) for origin in origins]
        found = [np.zeros((panel.series, ahead)) for _ in origins]
        for rows in blocks:
            shop = sample if rows is blocks[0] else sample.for_others(panel.of(rows))
            for forecast, choice in zip(found, choices, strict=True):
                forecast[rows] = choice.forecast(shop).T
        return found


def _blocks(panel: Panel) -> int:
    if panel.series * panel.periods <= BLOCK_NUMBERS:
        return 1
    size = int(np.clip(BLOCK_NUMBERS // panel.periods, *BLOCK_SERIES))
    return max(1, -(-panel.series // size))
