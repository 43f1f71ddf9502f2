"""The lowest tier: TSB levels times a calendar that all series share. Needs nothing but sales."""

from dataclasses import dataclass

from services.forecast.features import Calendar, fit_calendar
from services.forecast.models.intervals import Spread, fit_spread
from services.forecast.models.tsb import Smoothing, State, smooth
from services.forecast.panel import Floats, Panel

NAME = "tsb-calendar"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model that has seen ``panel`` and nothing after it."""

    panel: Panel
    calendar: Calendar
    state: State
    spread: Spread

    def means(self, horizon: int) -> Floats:
        """Expected units of the ``horizon`` days after the panel, (horizon, series)."""
        days = self.panel.days
        profile = self.calendar.profile(self.panel, days, days + horizon)
        return profile[:, self.panel.stores] * self.state.level


def fit(panel: Panel) -> Fitted:
    """Fits every series of ``panel``. Deterministic."""
    calendar = fit_calendar(panel)
    profile = calendar.profile(panel, 0, panel.days)[:, panel.stores]
    observed = calendar.open[:, panel.stores]
    state = smooth(panel.units, profile, observed, panel.first_sales(), Smoothing())
    return Fitted(panel, calendar, state, fit_spread(state))
