"""What a simple tier said from one origin: what the boosted models start from, or look at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats


@dataclass(frozen=True, slots=True)
class Said:
    """All from ``origin`` alone, never from what came later."""

    origin: int
    mean: Floats  # (series, ahead). NaN for a series that was not asked about.
    first: int  # Column of the panel at which ``log_multiplier`` begins.
    log_multiplier: NDArray[np.float32]  # (series, first .. origin + ahead).
