"""The forecast from sales alone: levels and trends under calendar profiles, combined by merit.

`PlainTier` is the door. It knows no covariates: what a method with promotions or a tree model adds
is measured against it, and where that adds nothing this is the forecast that stands.
"""

from services.forecast.engine.plain.tier import PlainTier

__all__ = ["PlainTier"]
