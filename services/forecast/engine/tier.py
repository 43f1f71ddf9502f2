"""What every forecasting method of the engine looks like from outside."""

from collections.abc import Sequence
from typing import Protocol

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel


class Tier(Protocol):
    """A method that forecasts every series of a panel. Deterministic: the seed is part of it."""

    @property
    def name(self) -> str:
        """Short, lower-case, as it stands in results: `plain`, `promo`, `boosted`."""

    def run(self, panel: Panel, origins: Sequence[int], ahead: int) -> list[Floats]:
        """Forecasts from each of ``origins``, as (series, ahead) expected units.

        All origins are asked for at once so that work can be shared among them; what is returned
        for one must be what `panel.until(origin, ahead)` alone would lead to, up to the accuracy
        that a shared, earlier fit costs: nothing after an origin may be read for it.

        Every value is finite and not negative, for a series of one period and for one that never
        sold alike. A series that begins after an origin is forecast as well as it can be.

        Args:
            panel: the past, and what is known of the future (`known`) for the last origin.
            origins: ascending counts of columns, each at least 1 and at most `panel.periods`.
            ahead: columns to forecast, at least 1. `panel.dates` and `panel.known` reach at least
                to the last origin + ahead.
        """
