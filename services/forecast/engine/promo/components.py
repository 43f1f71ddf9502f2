"""A forecast taken apart: how much of it each part of the model accounts for, in units.

The model is a product, mean = level x exp(e_1 + ... + e_k); an explanation is a sum. The
logarithmic mean turns the one into the other: with M the mean and L the level,

    part_j = e_j x (M - L) / log(M / L),        so that        L + part_1 + ... + part_k = M,

since log(M / L) is the sum of the e_j. No order of the parts has to be chosen, and a part without
effect gets nothing (B. W. Ang, "The LMDI approach to decomposition analysis", Energy Policy 33,
2005). Where the bound on multipliers cuts the sum of the effects, all are cut in proportion.
"""

from collections.abc import Mapping

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.promo.fit import PromoFit
from services.forecast.engine.promo.made import LOG_LIMIT

LEVEL = "level"
TREND = "trend"
AVAILABILITY = "availability"  # What is lost where nothing can be sold.
PARTS = ("season", "event", "promotion", "price", "siblings")  # Of regressors.
NAMES = (LEVEL, TREND, *PARTS, AVAILABILITY)
SMALL = 1e-6  # Of a logarithm, below which the logarithmic mean is taken as a series.


def components(fit: PromoFit) -> dict[str, Floats]:
    """Parts of ``fit.mean`` by `NAMES`, each (series, ahead). They add up to it."""
    past, ahead = fit.origin - fit.first, fit.drift.shape[1]
    effects = {part: np.zeros((fit.level.size, ahead)) for part in PARTS}
    usual = np.zeros(fit.level.size)
    for rows in fit.design.blocks():
        x = fit.design.of(rows)[..., : past + ahead]
        each = fit.coefficients[rows][:, :, np.newaxis] * x[..., past:]
        for index, label in enumerate(fit.design.labels):
            effects[label.part][rows] += each[:, index]
            if is_usual(label.name):
                now = fit.coefficients[rows, index].astype(np.float64) * x[:, index, past]
                usual[rows] += now
                effects[label.part][rows] -= now[:, np.newaxis]
    found = attributed(fit.level, usual, {TREND: fit.drift, **effects}, fit.open)
    found[LEVEL] += fit.mean - np.sum(list(found.values()), axis=0)  # Single-precision rounding.
    return found


def is_usual(name: str) -> bool:
    """Whether a regressor follows the usual level of a column: what it is now belongs to the level.

    Otherwise a price of long ago would be explained as news.
    """
    return name.endswith(":usual")


def attributed(
    level: Floats, usual: Floats, effects: Mapping[str, Floats], opened: Booleans
) -> dict[str, Floats]:
    """Parts in units, by `NAMES`, of a mean whose logarithm is made up of ``effects``.

    Args:
        level: (series,).
        usual: (series,). Effects that are part of the level.
        effects: each (series, ahead); the trend is not bound by the limit on multipliers.
        opened: (series, ahead). False where nothing is sold.
    """
    driven = np.sum([effect for name, effect in effects.items() if name != TREND], axis=0)
    driven = driven + usual[:, np.newaxis]
    bound = np.divide(
        driven.clip(-LOG_LIMIT, LOG_LIMIT), driven, out=np.ones_like(driven), where=driven != 0
    )
    base = level[:, np.newaxis] * np.exp(usual[:, np.newaxis] * bound)
    logs = {name: effect if name == TREND else effect * bound for name, effect in effects.items()}
    total = np.sum(list(logs.values()), axis=0)
    # (exp(t) - 1) / t is 1 + t / 2 to first order; it is what the logarithmic mean is of the level.
    safe = np.where(np.abs(total) < SMALL, 1.0, total)
    ratio = np.where(np.abs(total) < SMALL, 1 + total / 2, np.expm1(safe) / safe)
    found = {LEVEL: base, **{name: base * ratio * log for name, log in logs.items()}}
    found[AVAILABILITY] = np.where(opened, 0.0, -np.sum(list(found.values()), axis=0))
    return found
