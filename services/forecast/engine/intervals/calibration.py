"""Pooled conformal quantiles: learned from the errors of past origins, for any later forecast.

Split conformal prediction (Vovk et al. 2005): errors are divided by what was to be expected of them
(`spread`), which makes those of all series comparable, and their empirical quantiles (`shape`) are
scaled back for each forecast. A series needs no long history of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.held import Held
from services.forecast.engine.intervals import shape, spread
from services.forecast.engine.intervals.fallback import without_errors
from services.forecast.engine.panel import Panel

LEAST_ERRORS = 60


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known about errors. ``spread`` and ``shape`` are None where too few are at hand."""

    spread: spread.Spread | None
    shape: shape.Shape | None
    errors: int  # Errors that it was learned from.

    def quantiles(self, panel: Panel, mean: Floats, levels: Sequence[float]) -> Floats:
        """Quantiles, (levels, series, ahead): not negative, finite, ascending with the level.

        Args:
            panel: what the forecast has seen; the same series, in the same order, as learned from.
            mean: (series, ahead). Finite and not negative.
            levels: ascending, between 0 and 1.
        """
        wanted = np.asarray(levels, dtype=np.float64)
        if self.spread is None or self.shape is None:
            return without_errors(panel, mean, wanted)
        features = spread.describe(panel, mean, self.spread.floor)
        scale = self.spread.scale(features)
        size = np.log(np.maximum(mean, self.spread.floor))
        found = mean + self.shape.quantiles(size, wanted) * scale
        ascending: Floats = np.maximum.accumulate(np.maximum(found, 0.0), axis=0)
        return ascending

    def of(self, rows: slice) -> "Calibration":
        """What is known about some of the series."""
        if self.spread is None:
            return self
        return replace(self, spread=replace(self.spread, own=self.spread.own[rows]))


def calibrate(panel: Panel, helds: Sequence[Held]) -> Calibration:
    """Learns from the forecasts of past origins. Any number of them, none included.

    Args:
        panel: the past; what ``helds`` saw of it is its first columns.
        helds: past origins, with (series, ahead) of one width or of several.
    """
    floor = spread.least(panel)
    features = [spread.describe(_until(panel, held), held.mean, floor) for held in helds]
    errors = [np.abs(held.actual - held.mean) for held in helds]
    seen = [~np.isnan(each) for each in errors]
    count = sum(int(each.sum()) for each in seen)
    if count < LEAST_ERRORS:
        return Calibration(None, None, count)
    flat = np.concatenate([each[mask] for each, mask in zip(features, seen, strict=True)])
    wide = np.concatenate([each[mask] for each, mask in zip(errors, seen, strict=True)])
    coefficients = spread.fit(flat, wide)
    expected = [spread.expected(each, coefficients) for each in features]
    ratios = np.concatenate([e / s for e, s in zip(errors, expected, strict=True)], axis=1)
    own = spread.own_factors(ratios)
    scaled = [
        ((held.actual - held.mean) / (each * own[:, np.newaxis]))[mask]
        for held, each, mask in zip(helds, expected, seen, strict=True)
    ]
    sizes = flat[:, 1]
    found = shape.pool(sizes, np.concatenate(scaled))
    return Calibration(spread.Spread(coefficients, own, floor), found, count)


def _until(panel: Panel, held: Held) -> Panel:
    return panel.until(held.origin, held.mean.shape[1])
