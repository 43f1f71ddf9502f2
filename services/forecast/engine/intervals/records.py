"""One past origin: what was known there, what was expected, and what happened."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.held import Held
from services.forecast.engine.intervals import features, spread
from services.forecast.engine.intervals.past import stand_in
from services.forecast.engine.panel import Panel

LEAST_RECORDS = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """Arrays of shape (series, ahead)."""

    held: Held
    described: Floats  # (series, ahead, features).
    seen: Booleans  # Where something was recorded, and expected: elsewhere nothing is learned.
    errors: Floats  # Absolute, in units of a usual sale.

    def ratios(self, coefficients: Floats) -> Floats:
        """Errors over what the spread expects; NaN where not seen."""
        expected = spread.expected(self.described, coefficients)
        return np.where(self.seen, self.errors / expected, np.nan)


def origins_of(panel: Panel, helds: list[Held], unit: float) -> list[Origin]:
    """The past origins, and the panel's own last steps where those have few records."""
    used = [held for held in helds if held.mean.shape[1]]
    if sum(int((~np.isnan(held.actual)).sum()) for held in used) < LEAST_RECORDS:
        used = [*stand_in(panel), *used]
    found = []
    for held in used:
        before = panel.until(held.origin, held.mean.shape[1])
        described = features.describe(before, held.mean, unit)
        seen = ~np.isnan(held.actual) & (held.mean > 0)
        found.append(Origin(held, described, seen, np.abs(held.actual - held.mean) / unit))
    return found
