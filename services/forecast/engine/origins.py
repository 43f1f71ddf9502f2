"""Which past origins to hold back: forecasts from there show which tier to trust, and how far."""

import numpy as np

from services.forecast.engine.arrays import Integers
from services.forecast.engine.panel import Panel

MOST = 3
KEPT_SHARE = 0.5  # Of the panel's columns: what the earliest past origin must have seen.
LEAST_LIFE = 2  # Columns that a series needs before an origin to be worth judging there.
WORTHWHILE = 0.25  # Of the series with a record: fewer that can be judged make no past origin.


def past_origins(panel: Panel) -> tuple[int, ...]:
    """Up to three origins, ascending, one horizon apart: the last horizons of the panel's past.

    Short panels get fewer. One that is too short for a whole horizon gets a single origin, after
    two thirds of it, beside which less than a horizon is known; one of fewer than 3 columns, or
    whose series have all just begun, gets none.
    """
    periods, ahead = panel.periods, panel.ahead
    least = max(LEAST_LIFE, int(np.ceil(KEPT_SHARE * periods)))
    whole = [periods - count * ahead for count in range(MOST, 0, -1)]
    candidates = [origin for origin in whole if origin >= least]
    if not candidates:
        candidates = [max(LEAST_LIFE, (2 * periods + 2) // 3)]
    lives = panel.lives()
    return tuple(origin for origin in candidates if _judged(lives, periods, origin))


def _judged(lives: Integers, periods: int, origin: int) -> bool:
    """Whether enough series had begun ``LEAST_LIFE`` columns before ``origin``."""
    if origin >= periods:
        return False
    began = np.count_nonzero(lives - (periods - origin) >= LEAST_LIFE)
    return bool(began > 0 and began >= WORTHWHILE * np.count_nonzero(lives))
