"""What errors of a series are divided by, so that series of all sizes can be compared."""

import numpy as np

from services.forecast.engine.arrays import Floats


def rms_steps(units: Floats) -> Floats:
    """(series,). Root mean squared step between neighbouring records, from the first sale on.

    The scale of RMSSE (Hyndman and Koehler 2006; M5). NaN for a series that shows no step: one that
    never sold, always sold the same, or has fewer than two neighbouring records.
    """
    sold = units > 0
    first = np.where(sold.any(axis=1), sold.argmax(axis=1), units.shape[1])
    steps = np.diff(units, axis=1)
    counted = ~np.isnan(steps) & (np.arange(1, units.shape[1]) > first[:, np.newaxis])
    total = np.where(counted, steps**2, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, np.sqrt(total / counted.sum(axis=1)), np.nan)
