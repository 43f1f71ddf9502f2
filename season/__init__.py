"""A seeded simulator of fashion seasons that knows the true demand.

Forecasts made from its sales can be scored against what customers wanted, not only against what
the shelves let them buy.
"""

from season.config import Place, Retailer, SeasonConfig
from season.simulate import Season, simulate

__all__ = ["Place", "Retailer", "Season", "SeasonConfig", "simulate"]
