"""What sells more than the season explains: trends of groups of series.

A group is whatever the caller wants to know about (a choice, a style, a colour, a store); a filter
is a selection of rows of the panel. Each group's units become an index of demand in weeks (months
stay months), adjusted for what was not on the shelf. Its season is expected from earlier years, its
momentum is what remains, and its state is read from both with their uncertainty.
"""

from services.forecast.engine.trends.find import Trends, find_trends
from services.forecast.engine.trends.states import State
from services.forecast.engine.trends.uplift import promotion_uplift, uplift_of

__all__ = ["State", "Trends", "find_trends", "promotion_uplift", "uplift_of"]
