"""Names of the array types that the engine passes around."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Dates = NDArray[np.datetime64]  # Of unit day.
