"""How much work a forecast is worth."""

from enum import Enum


class Effort(Enum):
    """More work, better forecasts. Costs are CPU time and hold for long panels of many series."""

    LIGHT = "light"  # Smoothing and the pooled response to what is known: under 1 ms a series.
    MIDDLE = "middle"  # And one boosted correction: no more than a textbook LightGBM.
    FULL = "full"  # Everything: at most 2.5 times the textbook LightGBM.
