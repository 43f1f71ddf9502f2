"""Boosted trees: over the simple tiers and what then happened, or step by step on their own."""

from services.forecast.engine.boosted.boost import Luck, forecasts, lattice
from services.forecast.engine.boosted.recipe import QUICK, RECURSIVE, STACKED, Recipe
from services.forecast.engine.boosted.said import Said

__all__ = ["QUICK", "RECURSIVE", "STACKED", "Luck", "Recipe", "Said", "forecasts", "lattice"]
