"""Forecasts of past origins beside what then happened: what weights and intervals learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel


@dataclass(frozen=True, slots=True)
class Held:
    """One origin. Both of shape (series, ahead)."""

    origin: int  # Columns that the forecast had seen.
    mean: Floats
    actual: Floats  # NaN where nothing was recorded, or the series had not begun at the origin.


def hold(panel: Panel, origins: Sequence[int], means: Sequence[Floats]) -> list[Held]:
    """Puts the forecasts of past ``origins`` beside the units of ``panel``."""
    starts = panel.starts()
    held = []
    for origin, mean in zip(origins, means, strict=True):
        actual = panel.units[:, origin : origin + mean.shape[1]]
        begun = (starts < origin)[:, np.newaxis]
        held.append(Held(origin, mean[:, : actual.shape[1]], np.where(begun, actual, np.nan)))
    return held
