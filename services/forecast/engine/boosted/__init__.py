"""Boosted trees over the simple tiers: what those said in the past, and what then happened."""

from services.forecast.engine.boosted.boost import Luck, forecasts, lattice
from services.forecast.engine.boosted.recipe import QUICK, RECURSIVE, STACKED, Recipe
from services.forecast.engine.boosted.said import Said

__all__ = ["QUICK", "RECURSIVE", "STACKED", "Luck", "Recipe", "Said", "forecasts", "lattice"]
