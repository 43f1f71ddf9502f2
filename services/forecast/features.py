"""The calendar that all series share: when stores trade, the week's shape, the year's shape.

Everything is estimated from the panel it is given, so a panel cut at an origin yields the calendar
as it could be known there.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.panel import WEEK_DAYS, Booleans, Floats, Panel

YEAR_DAYS = 365
RECENT_DAYS = 26 * WEEK_DAYS  # The week's shape changes slowly; older weeks tell little of it.
CLOSED_LOOK_BACK = 8  # Weeks.
CLOSED_BY_CHANCE = 1e-3
BUSY_UNITS = 20.0  # A day: a store or tenant that sells as much never sells nothing by chance.
LONGEST_CLOSURE_DAYS = 14  # What lasts longer is no holiday but an end of sales.
STORE_PRIOR_UNITS = 200.0  # How much a store must sell on a weekday to be half believed.
TENANT_PRIOR_UNITS = 20.0  # The same for the tenant as a whole.
SEASON_PRIOR_YEARS = 0.5


@dataclass(frozen=True, slots=True)
class Calendar:
    """Multiplicative: the expected sales of a series are its level times these."""

    open: Booleans  # (days, stores). False on past days that say nothing about demand.
    week: Floats  # (7, stores). Averages 1 over trading days; 0 on weekdays without trade.
    season: Floats  # (365,). Averages 1. All ones where the season cannot be identified.
    seasonal: bool  # Whether it could.

    def profile(self, panel: Panel, start: int, stop: int) -> Floats:
        """(rows, stores). The factor of each row; rows past the panel's end are the future."""
        week = self.week[panel.weekdays(start, stop)]
        return week * self.season[panel.days_of_year(start, stop), np.newaxis]


def fit_calendar(panel: Panel) -> Calendar:
    """Estimates the calendar from every series at once.

    The year's shape needs two full years: with fewer, season and growth cannot be told apart, and
    it is left out rather than guessed. Closures on single days (a fair, a public holiday) are
    recognised in the past, so that they do not pull levels down, but not foreseen.
    """
    totals = panel.store_totals()
    closed_weekdays = _closed_weekdays(panel, totals)
    open_days = ~_closures(panel, totals, closed_weekdays)
    season = _season(panel, totals.sum(axis=1))
    week = _week(panel, totals, open_days, closed_weekdays)
    seasonal = bool((season != 1.0).any())
    return Calendar(open_days, week, season, seasonal)


def _closed_weekdays(panel: Panel, totals: Floats) -> Booleans:
    """(7, stores). Weekdays on which a store does not trade: no sale for weeks, unlike others.

    With `p` the share of the other weekdays' days that saw a sale, `k` days without one happen by
    chance with probability (1 - p)^k; below 0.1 % the weekday is closed. Small stores borrow the
    answer of the tenant as a whole.
    """
    tenant = totals.sum(axis=1, keepdims=True)
    return _silent(panel, totals) | _silent(panel, tenant)


def _silent(panel: Panel, totals: Floats) -> Booleans:
    days = min(panel.days, CLOSED_LOOK_BACK * WEEK_DAYS)
    began = (np.cumsum(totals, axis=0) > 0)[-days:]
    sold = totals[-days:] > 0
    weekdays = panel.weekdays(panel.days - days, panel.days)
    observed = np.stack([began[weekdays == day].sum(axis=0) for day in range(WEEK_DAYS)])
    hits = np.stack([sold[weekdays == day].sum(axis=0) for day in range(WEEK_DAYS)])
    others = observed.sum(axis=0) - observed
    share = (hits.sum(axis=0) - hits) / np.maximum(others, 1)
    chance = np.power(1.0 - np.minimum(share, 1 - 1e-9), observed)
    silent: Booleans = (hits == 0) & (observed > 0) & (chance < CLOSED_BY_CHANCE)
    return silent


def _closures(panel: Panel, totals: Floats, closed_weekdays: Booleans) -> Booleans:
    """(days, stores). Past days without trade."""
    tenant = totals.sum(axis=1, keepdims=True)
    busy = _mean_of_trading_days(totals) >= BUSY_UNITS
    tenant_shut = (tenant == 0) & (_mean_of_trading_days(tenant) >= BUSY_UNITS)
    weekday_shut = closed_weekdays[panel.weekdays(0, panel.days)]
    shut = (totals == 0) & (weekday_shut | tenant_shut | busy)
    closures: Booleans = shut & (_run_lengths(shut) <= LONGEST_CLOSURE_DAYS)
    return closures


def _mean_of_trading_days(totals: Floats) -> Floats:
    means: Floats = totals.sum(axis=0) / np.maximum((totals > 0).sum(axis=0), 1)
    return means


def _run_lengths(shut: Booleans) -> Floats:
    """How many days in a row were shut, up to and including each."""
    lengths = np.zeros(shut.shape)
    running = np.zeros(shut.shape[1])
    for day in range(shut.shape[0]):
        running = np.where(shut[day], running + 1, 0.0)
        lengths[day] = running
    return lengths


def _week(panel: Panel, totals: Floats, open_days: Booleans, closed_weekdays: Booleans) -> Floats:
    """(7, stores). The tenant's weekly shape, pulled towards each store's own as it sells more.

    A Gamma prior on each store's factor: (own + K x tenant) / (expected + K).
    """
    days = min(panel.days, RECENT_DAYS)
    weekdays = panel.weekdays(panel.days - days, panel.days)
    recent, trading = totals[-days:], open_days[-days:]
    sold = np.stack([(recent * trading)[weekdays == day].sum(axis=0) for day in range(WEEK_DAYS)])
    count = np.stack([trading[weekdays == day].sum(axis=0) for day in range(WEEK_DAYS)])
    tenant = _relative(sold.sum(axis=1), count.sum(axis=1))
    mean = sold.sum(axis=0) / np.maximum((count * tenant[:, np.newaxis]).sum(axis=0), 1e-9)
    expected = mean * count * tenant[:, np.newaxis]
    own = (sold + STORE_PRIOR_UNITS) / (expected + STORE_PRIOR_UNITS)
    week = tenant[:, np.newaxis] * own
    week[closed_weekdays] = 0.0
    trades = ~closed_weekdays
    average = (week * trades).sum(axis=0) / np.maximum(trades.sum(axis=0), 1)
    normal: Floats = week / np.where(average > 0, average, 1.0)
    return normal


def _relative(sold: Floats, count: Floats) -> Floats:
    """Rates by weekday over their mean, pulled towards 1 where little sold."""
    traded = count > 0
    rates = sold[traded] / count[traded]
    mean = float(rates.mean()) if traded.any() else 0.0
    relative: Floats = (sold + TENANT_PRIOR_UNITS) / (count * mean + TENANT_PRIOR_UNITS)
    return relative


def _season(panel: Panel, tenant: Floats) -> Floats:
    """(365,). The tenant's yearly shape, smoothed over weeks, pulled towards none.

    Whole years, counted back from the end, are freed of the growth between them and averaged by
    day of the year; a triangle of five weeks, then of two, smooths the average.
    """
    years = panel.days // YEAR_DAYS
    flat = np.ones(YEAR_DAYS)
    rows = years * YEAR_DAYS
    blocks = tenant[panel.days - rows :].reshape(years, YEAR_DAYS)
    means = blocks.mean(axis=1) if years else np.zeros(0)
    if years < 2 or (means <= 0).any():  # noqa: PLR2004 years
        return flat
    growth = np.log(means[-1] / means[0]) / (years - 1)  # A year.
    trend = np.exp(growth * ((np.arange(YEAR_DAYS) + 0.5) / YEAR_DAYS - 0.5))
    shapes = (blocks / means[:, np.newaxis] / trend).ravel()
    # Any two years hold every day of the year at least once, leap days or not.
    days = panel.days_of_year(panel.days - rows, panel.days)
    by_day = np.bincount(days, shapes, YEAR_DAYS) / np.bincount(days, minlength=YEAR_DAYS)
    smooth = _smooth(_smooth(by_day, 5 * WEEK_DAYS), 2 * WEEK_DAYS)
    shrunk = (smooth * years + SEASON_PRIOR_YEARS) / (years + SEASON_PRIOR_YEARS)
    normal: Floats = shrunk / shrunk.mean()
    return normal


def _smooth(values: Floats, width: int) -> Floats:
    """A triangular moving average of ``width`` days that joins the year's end to its start."""
    half = width // 2
    weights = half + 1.0 - np.abs(np.arange(-half, half + 1))
    wrapped = np.concatenate([values[-half:], values, values[:half]])
    return np.convolve(wrapped, weights / weights.sum(), mode="valid")
