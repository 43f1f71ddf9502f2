"""The promotion tier: a discounted level times the pooled response to what is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import slow
from services.forecast.engine.promo.choice import choose
from services.forecast.engine.promo.fit import PromoFit, base, fitted
from services.forecast.engine.promo.history import since
from services.forecast.engine.promo.seasons import Calendar

LONGEST = {Period.DAY: 1_130, Period.WEEK: 212, Period.MONTH: 180}  # Columns before an origin.


@dataclass(frozen=True, slots=True)
class PromoTier:
    """``calendar`` adds what only its owner knows of the time: a country, the retailer's months."""

    calendar: Calendar = field(default_factory=Calendar)
    name: str = "promo"

    def run(self, panel: Panel, origins: Sequence[int], ahead: int) -> list[Floats]:
        return [fit.mean for fit in self.fits(panel, origins, ahead)]

    def fits(self, panel: Panel, origins: Sequence[int], ahead: int) -> list[PromoFit]:
        """The model at each of ``origins``.

        Settings are chosen at the first origin for all but the last, and again at the last.
        """
        panel = panel.until(origins[-1], ahead)
        first = max(0, origins[0] - LONGEST[panel.period])
        recent = since(panel, first)
        inner = [origin - first for origin in origins]
        shared = base(recent, inner[0], ahead, first, self.calendar)
        chosen = choose(shared, inner[0])
        latest = chosen if len(inner) == 1 else choose(shared, inner[-1])
        counts = slow.learn(recent, shared.design, shared.history, inner)
        if latest == chosen:
            found = fitted(shared, inner, chosen, counts)
        else:
            found = fitted(shared, inner[:-1], chosen, counts[:-1])
            found += fitted(shared, inner[-1:], latest, counts[-1:])
        return found
