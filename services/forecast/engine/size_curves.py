"""Which sizes sell: shares of the sizes of a style, shrunk to those of its category."""

import numpy as np
from scipy import optimize, special

from services.forecast.engine.arrays import Floats, Integers

LEAST_STRENGTH, MOST_STRENGTH = 1.0, 10_000.0
"""Units of the category that a style's own curve is blended with: bounds of what is estimated."""


def size_shares(units: Floats, category: Integers) -> Floats:
    """Shares of each size in its style's sales, (styles, sizes); each row adds up to 1.

    A style's units are multinomial around shares that scatter around its category's as a Dirichlet;
    the category's strength (how many units of its own a style needs to outweigh it) maximises the
    Dirichlet-multinomial likelihood of its styles (Minka 2000): empirical Bayes.

    Args:
        units: (styles, sizes). Units sold; NaN for a size that the style is not made in.
        category: (styles,). Codes from 0.
    """
    made = ~np.isnan(units)
    sold = np.where(made, units, 0.0)
    found = np.zeros(units.shape)
    for code in np.unique(category).tolist():
        members = category == code
        found[members] = _shrunk(sold[members], made[members])
    return found


def _shrunk(sold: Floats, made: np.ndarray) -> Floats:
    total = sold.sum(axis=0) + 1.0 / sold.shape[1]
    prior = np.where(made, total / total.sum(), 0.0)
    prior = prior / np.maximum(prior.sum(axis=1, keepdims=True), 1e-300)
    blended = sold + strength(sold, prior) * prior
    shares: Floats = blended / np.maximum(blended.sum(axis=1, keepdims=True), 1e-300)
    return shares


def strength(sold: Floats, prior: Floats) -> float:
    """Units that the ``prior`` shares are worth. Both (styles, sizes); 0: not made."""
    counted = sold.sum(axis=1) > 0
    sold, prior = sold[counted], prior[counted]
    if len(sold) <= 1:
        return LEAST_STRENGTH if not len(sold) else float(np.sqrt(LEAST_STRENGTH * MOST_STRENGTH))

    def loss(log_strength: float) -> float:
        return -_log_likelihood(sold, prior, float(np.exp(log_strength)))

    bounds = (np.log(LEAST_STRENGTH), np.log(MOST_STRENGTH))
    found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(found.x))


def _log_likelihood(sold: Floats, prior: Floats, weight: float) -> float:
    """Of a Dirichlet-multinomial, up to what does not depend on ``weight``."""
    total = sold.sum(axis=1)
    whole = special.gammaln(weight) - special.gammaln(total + weight)
    made = prior > 0
    shares = np.where(made, prior * weight, 1.0)
    parts = special.gammaln(np.where(made, sold, 0.0) + shares) - special.gammaln(shares)
    return float(whole.sum() + np.where(made, parts, 0.0).sum())
