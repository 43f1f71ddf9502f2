"""What each period is to an ordinary one, for a panel as a whole."""

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import WEEK_DAYS, Period

RECENT_WEEKS = 13
LEAST_WEEKS = 3


def calendar(panel: Panel, ahead: int) -> Floats:
    """(periods + ahead,). Days of the week against their mean; 1 for longer periods.

    Seasons of the year differ too much between articles to be taken from all of them together:
    who knows them hands them in.
    """
    columns = panel.periods + ahead
    if panel.period is not Period.DAY or panel.periods < LEAST_WEEKS * WEEK_DAYS:
        return np.ones(columns)
    first = panel.dates[:1].astype("datetime64[D]").astype(np.int64)
    weekday = (first + np.arange(columns)) % WEEK_DAYS
    past = weekday[: panel.periods][-RECENT_WEEKS * WEEK_DAYS :]
    units = np.nansum(panel.units[:, -past.size :], axis=0)
    sold = np.bincount(past, units, WEEK_DAYS) / np.bincount(past, minlength=WEEK_DAYS)
    profile = sold / sold.mean() if sold.sum() > 0 else np.ones(WEEK_DAYS)
    found: Floats = profile[weekday]
    return found
