"""What promotions and prices did to past demand, so that it is not taken for a trend."""

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.promo import PromoFit, PromoTier
from services.forecast.engine.promo.components import is_usual
from services.forecast.engine.promo.made import LOG_LIMIT

LEAST_PERIODS = 8
PARTS = ("promotion", "price")


def promotion_uplift(panel: Panel) -> Floats | None:
    """(series, periods). Demand over demand without promotion; None if nothing is known of any."""
    if not panel.known:
        return None
    if panel.periods < LEAST_PERIODS:
        return None
    # A fit needs a future: the last period is set aside for one.
    fit = PromoTier().fits(panel, [panel.periods - 1], 1)[0]
    found = np.ones(panel.units.shape)
    found[:, fit.first :] = uplift_of(fit)
    return found


def uplift_of(fit: PromoFit) -> Floats:
    """(series, first .. origin + ahead). The part of a fit's multipliers that promotions make."""
    logs: Floats = np.zeros(fit.log_multiplier.shape)
    driven = np.array(
        [label.part in PARTS and not is_usual(label.name) for label in fit.design.labels]
    )
    for rows in fit.design.blocks():
        x = fit.design.of(rows)[..., : logs.shape[1]]
        logs[rows] = np.einsum("ij,ijk->ik", fit.coefficients[rows] * driven, x)
    return np.asarray(np.exp(logs.clip(-LOG_LIMIT, LOG_LIMIT)))
