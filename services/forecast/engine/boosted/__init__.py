"""Boosted trees over the simple tiers: what those said in the past, and what then happened."""

from services.forecast.engine.boosted.boost import forecasts, lattice
from services.forecast.engine.boosted.recipe import CORRECTED, DIRECT, STACKED, Recipe
from services.forecast.engine.boosted.said import Said

__all__ = ["CORRECTED", "DIRECT", "STACKED", "Recipe", "Said", "forecasts", "lattice"]
