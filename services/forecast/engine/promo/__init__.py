"""Demand as a level times a pooled response to what is known in advance."""

from services.forecast.engine.promo.fit import PromoFit
from services.forecast.engine.promo.tier import PromoTier

__all__ = ["PromoFit", "PromoTier"]
