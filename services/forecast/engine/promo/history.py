"""The past of a panel as the response and the levels see it."""

from dataclasses import dataclass, replace

import numpy as np

from services.forecast.engine import calendar_events
from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo.levels import Past, begun
from services.forecast.engine.promo.response import response


@dataclass(frozen=True, slots=True)
class History:
    """What every origin shares. All (series, periods), and each column depends on none later."""

    period: Period
    units: Floats  # 0 where not recorded.
    exposure: Floats  # Share of the period on the shelf; 0 where not recorded or shut.
    response: Floats
    shut: Booleans  # (periods,)

    def until(self, origin: int, logs: Floats, rows: Integers | None = None) -> Past:
        """The past of a level at ``origin``, for ``rows`` whose log multipliers are ``logs``."""
        units = self.units if rows is None else self.units[rows]
        exposure = self.exposure if rows is None else self.exposure[rows]
        return Past(units[:, :origin], exposure[:, :origin], logs[:, :origin])

    def weights(self, yearly: float) -> Floats:
        """(periods,). Weights of periods in the response, fading to ``yearly`` in a year."""
        periods = self.units.shape[1]
        return np.asarray(yearly ** ((periods - 1 - np.arange(periods)) / self.period.year))


def read(panel: Panel, closed: Booleans | None = None) -> History:
    """``closed`` (series, columns) is where nothing could be sold, as the plan says."""
    on = begun(panel.units)
    if closed is not None:
        on &= ~closed[:, : panel.periods]
    shut = np.zeros(panel.periods, bool)
    if panel.period is Period.DAY:
        shut = calendar_events.shut((np.nan_to_num(panel.units) > 0).sum(axis=0))
    on &= ~shut
    exposure = on.astype(np.float64)
    if panel.exposure is not None:
        exposure *= np.nan_to_num(panel.exposure).clip(0.0, 1.0)
    units = np.where(exposure > 0, np.nan_to_num(panel.units), 0.0)
    target = response(units, panel.exposure, exposure > 0)
    return History(panel.period, units, exposure, target, shut)


def since(panel: Panel, first: int) -> Panel:
    """The panel from column ``first`` on."""
    if first == 0:
        return panel
    return replace(
        panel,
        dates=panel.dates[first:],
        units=panel.units[:, first:],
        known={name: values[:, first:] for name, values in panel.known.items()},
        exposure=None if panel.exposure is None else panel.exposure[:, first:],
    )
