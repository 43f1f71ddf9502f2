"""How much of a period an article could be bought, where only an empty shelf is known.

On a day that ends with an empty shelf, sales are a lower bound of demand. Leaving such days out
would be wrong, because they are the days on which demand was high; counting them as they are, too.

The mean of demand given that it was at least the sales, E[D | D >= y], tells what was missed. The
day then counts with the exposure u = 1 - (E[D | D >= y] - y) / E[D], so that the ratio estimator of
a rate, sum(y) / sum(u x expected), has the fixed point of the EM algorithm for censored counts
(Dempster, Laird and Rubin 1977). A day that began with an empty shelf, too, has u = 0.
"""

import numpy as np
from scipy.special import betainc

from services.forecast.engine.arrays import Booleans, Floats


def mean_given_at_least(units: Floats, mean: Floats, size: float) -> Floats:
    """E[D | D >= units] of a negative binomial D with variance mean + mean^2 / size.

    From y f(y; size) = mean f(y - 1; size + 1), with tails as incomplete Beta functions.

    Args:
        units: whole units, not negative.
        mean: positive; shapes broadcast.
        size: positive. Large is Poisson.
    """
    success = mean / (mean + size)
    tail = betainc(np.maximum(units, 1.0), size, success)
    above = np.where(units > 1, betainc(np.maximum(units - 1, 1.0), size + 1, success), 1.0)
    # Past the reach of floating point the excess over `units` is that of a geometric tail.
    far = units + success * (units + size) / units.clip(1.0)
    found = np.where(tail > 1e-200, mean * above / np.maximum(tail, 1e-300), far)  # noqa: PLR2004
    return np.where(units > 0, np.maximum(found, units), mean)


def censored_exposure(units: Floats, empty: Booleans, mean: Floats, size: float) -> Floats:
    """Exposure, 0 to 1, of periods whose expected units were ``mean``; 1 where not ``empty``.

    Args:
        units: sold; NaN is taken for 0.
        empty: whether the shelf was empty at the end of the period.
        mean: expected units of a period with a full shelf.
        size: of the negative binomial, see `mean_given_at_least`.
    """
    sold = np.nan_to_num(units)
    safe = np.maximum(mean, 1e-9)
    missed = mean_given_at_least(sold, safe, size) - sold
    return np.where(empty, np.clip(1 - missed / safe, 0.0, 1.0), 1.0)
