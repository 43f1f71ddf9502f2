"""Demand as a level times a pooled response to what is known in advance.

`PromoTier` forecasts; `PromoTier.fits` gives the model at each origin (`PromoFit`: log multipliers,
levels, regressors); `components` takes a forecast apart; `state_of` keeps what is needed to
forecast one series again under another plan.
"""

from services.forecast.engine.promo.components import NAMES, components
from services.forecast.engine.promo.fit import PromoFit
from services.forecast.engine.promo.seasons import Calendar
from services.forecast.engine.promo.state import PromoState, from_arrays, state_of
from services.forecast.engine.promo.tier import PromoTier

__all__ = [
    "NAMES",
    "Calendar",
    "PromoFit",
    "PromoState",
    "PromoTier",
    "components",
    "from_arrays",
    "state_of",
]
