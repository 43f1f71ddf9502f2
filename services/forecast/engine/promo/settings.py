"""What is chosen about the model on past origins, and what it is where there are none."""

from dataclasses import dataclass, field

from services.forecast.engine.period import Period
from services.forecast.engine.promo.levels import Trend

DISCOUNTS = {
    Period.DAY: (0.85, 0.92, 0.96, 0.98, 0.99, 0.995, 0.998),
    Period.WEEK: (0.7, 0.8, 0.88, 0.92, 0.96, 0.98),
    Period.MONTH: (0.4, 0.6, 0.75, 0.85, 0.92, 0.96),
}
DISCOUNT = {Period.DAY: 0.98, Period.WEEK: 0.88, Period.MONTH: 0.75}


@dataclass(frozen=True, slots=True)
class Settings:
    discount: float  # Of a period, in the level.
    yearly: float = 0.35  # Weight of a year ago in the response.
    own_ridge: float = 500.0  # Periods, of what columns do to one series.
    season_ridge: float = 500.0  # Periods, of what the time of the year does to one series.
    group_ridge: float = 200.0  # Periods.
    group: str = ""  # The static column whose groups have a response of their own; empty: none.
    gain: float = 1.0  # Factor on log multipliers.
    trend: Trend = field(default_factory=Trend)
    silent: frozenset[str] = frozenset()  # Sources of regressors that are left out.


def default(period: Period) -> Settings:
    return Settings(DISCOUNT[period])
