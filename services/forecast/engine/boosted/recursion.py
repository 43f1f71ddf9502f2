"""Forecasts one step at a time: what was forecast is part of the past of the next step."""

from dataclasses import replace

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted.bench import Bench, lay
from services.forecast.engine.boosted.lessons import describe
from services.forecast.engine.boosted.model import Model
from services.forecast.engine.boosted.rows import every
from services.forecast.engine.boosted.said import Said
from services.forecast.engine.panel import Panel

MOST_TIMES = 3.0  # The simple forecast: what grows from step to step must not run away.


def step_by_step(bench: Bench, model: Model) -> Floats:
    """(series, ahead). ``model`` is one of single steps that does not look at a simple tier."""
    panel = bench.panel
    logs = bench.said.log_multiplier[:, bench.first - bench.said.first :]
    for step in range(panel.ahead):
        simple = bench.said.mean[:, step:]
        now = lay(panel, Said(panel.periods, simple, 0, logs), 0, bench.layout)
        panel = _longer(panel, _next(now, model))
    return panel.units[:, bench.panel.periods :]


def _next(bench: Bench, model: Model) -> Floats:
    """(series,). Units of the first period ahead; 0 where the simple tier says so.

    What a step takes for growth, the next takes for the past, and grows again: on series that had
    just begun, forecasts of a year came to ten times of what sold. A step's bound ends that.
    """
    units = np.zeros(bench.panel.series)
    for block in bench.blocks():
        rows = every(block.rows, np.array([bench.panel.periods]), 1)
        described = describe(block, rows, None, bench.first)
        units[block.rows] = model.predict(described.values) * described.unit
    return np.minimum(units, MOST_TIMES * bench.said.mean[:, 0])


def _longer(panel: Panel, units: Floats) -> Panel:
    """The panel with one more period of the past, all of it on the shelf."""
    exposure = panel.exposure
    if exposure is not None:
        exposure = np.column_stack([exposure, np.ones(panel.series)])
    return replace(panel, units=np.column_stack([panel.units, units]), exposure=exposure)
