"""Demand of what has hardly sold yet: new choices, new stores, choices new to a store.

A rate is expected from effects on its log: of each attribute, of the store, and of pairs of them
where pairs matter; each is pulled towards none as far as its own data leave it uncertain. As sales
arrive, a Gamma posterior moves from what was expected to what sells.
"""

from services.forecast.engine.cold_start.analogues import Analogues
from services.forecast.engine.cold_start.cold import Rates, cold_means
from services.forecast.engine.cold_start.newcomers import ColdStart, estimate

__all__ = ["Analogues", "ColdStart", "Rates", "cold_means", "estimate"]
