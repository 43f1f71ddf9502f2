"""Forecasts of the past to learn from where none were held back: running means, one step ahead."""

import numpy as np

from services.forecast.engine.held import Held, hold
from services.forecast.engine.panel import Panel

MOST_ORIGINS = 24
WINDOW = 8


def stand_in(panel: Panel) -> list[Held]:
    """One-step forecasts of the last columns by the mean of the up to WINDOW records before.

    Nothing else can be learned from on a panel too short to hold a horizon back.
    """
    origins = range(max(1, panel.periods - MOST_ORIGINS), panel.periods)
    means = []
    for origin in origins:
        recent = panel.units[:, max(0, origin - WINDOW) : origin]
        known = ~np.isnan(recent)
        level = np.where(known, recent, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        means.append(level[:, np.newaxis])
    return hold(panel, origins, means)
