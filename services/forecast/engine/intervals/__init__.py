"""Quantiles around forecasts, learned from what past forecasts missed by."""

from services.forecast.engine.intervals.calibration import Calibration, calibrate

__all__ = ["Calibration", "calibrate"]
