"""A panel whose promotions work in a way that a straight line does not see."""

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import Said
from services.forecast.engine.panel import Panel
from tests.unit.forecast.engine.support import panel

SERIES, PERIODS, AHEAD = 120, 100, 6
LIFT = 4.0  # Of a promotion in a store of kind 1; in others it does nothing.


def promoted(seed: int = 3) -> tuple[Panel, Floats]:
    """A panel, and the expected units of all its columns, the future's included."""
    random = np.random.default_rng(seed)
    columns = PERIODS + AHEAD
    kind = np.arange(SERIES) % 2
    flag = (random.random((SERIES, columns)) < 0.2).astype(np.float64)
    level = 20.0 * random.gamma(3.0, 1 / 3, size=(SERIES, 1))
    expected = level * np.where((flag > 0) & (kind[:, np.newaxis] == 1), LIFT, 1.0)
    units = random.poisson(expected[:, :PERIODS]).astype(np.float64)
    known, static = {"leaflet": flag}, {"kind": kind.astype(np.int64)}
    return panel(units, AHEAD, known=known, static=static), expected


def said(given: Panel, origin: int) -> Said:
    """A simple tier that knows no promotion: the mean of the last ten records."""
    recent = np.nan_to_num(given.units[:, max(0, origin - 10) : origin])
    mean = np.repeat(recent.mean(axis=1, keepdims=True), given.ahead, axis=1)
    flat = np.zeros((given.series, origin + given.ahead), dtype=np.float32)
    return Said(origin, mean, 0, flat)
