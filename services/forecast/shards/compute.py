"""Computes a shard: the engine on one part of a tenant's series. Pure; runs in a worker.

A shard learns and forecasts on its own. It holds whole products, of all stores, drawn from the
tenant's products by a hash: enough to pool what they have in common, and bounded, so that the cost
of a series and the memory of a process stay the same however many series a tenant has.
"""

import numpy as np

from services.forecast.answers import what_if
from services.forecast.engine.arrays import Dates, Floats
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Forecast, Settings, forecast
from services.forecast.engine.intervals import calibrate
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import state_of
from services.forecast.engine.segments import segments
from services.forecast.engine.trends import find_trends
from services.forecast.shards.data import Found, Place, Task, series_lines, unpack_panel
from services.forecast.shards.figures import COLUMNS, LEVELS, Figures, Judged, sums_of, trend_rows
from services.forecast.shards.totals import totals_of

LEAST_TREND_DAYS = 35  # Of history, for growth to be seen in it.
SHOWN_SHARE = 0.05  # A tier that counts for less in a series' forecast is not named.
PRODUCT = "product"


def compute(task: Task) -> Found:
    """Forecasts what comes after the panel, or what came after a cutoff in it."""
    panel = unpack_panel(task.panel)
    settings = Settings(Effort(task.effort))
    if task.cutoff is None:
        return _forecast(panel, forecast(panel, settings), task.place)
    seen = panel.dates[: panel.periods] <= np.datetime64(task.cutoff)
    return _backtest(panel, int(seen.sum()), settings)


def _forecast(panel: Panel, made: Forecast, place: Place) -> Found:
    quantiles = made.quantiles(LEVELS)
    tiers = _tiers(made)
    judged = _held_back(panel, made)
    figures = Figures(*_sums(panel, judged), model=_model(tiers), trends=_trends(panel))
    shared, own = what_if.pack(state_of(made.response))
    cumulative, sums = totals_of(made, place)
    rows = series_lines([made.mean, *quantiles, *cumulative], tiers, own)
    return Found(rows, shared, figures.to_bytes(), sums.to_bytes())


def _backtest(panel: Panel, origin: int, settings: Settings) -> Found:
    ahead = min(panel.ahead, panel.periods - origin)
    if origin == 0 or ahead == 0:
        return _scored(Figures(*_sums(panel, []), model="", trends=_no_trends()))
    past = panel.until(origin, ahead)
    # What had not begun by then could not be forecast, and is not asked for.
    begun = np.flatnonzero(past.starts() < origin)
    past, after = past.of(begun), panel.units[begun, origin : origin + ahead]
    if begun.size == 0:
        return _scored(Figures(*_sums(past, []), model="", trends=_no_trends()))
    made = forecast(past, settings)
    cutoff = panel.dates[origin - 1]
    judged = Judged(cutoff, past.units, after, made.mean, made.quantiles(LEVELS))
    sums = _sums(past, [judged])
    return _scored(Figures(*sums, model=_model(_tiers(made)), trends=_no_trends()))


def _scored(figures: Figures) -> Found:
    return Found(b"", b"", figures.to_bytes())


def _held_back(panel: Panel, made: Forecast) -> list[Judged]:
    """The newest past origin; its intervals are calibrated on the older ones alone."""
    if not made.held:
        return []
    *older, newest = made.held
    seen = panel.until(newest.origin, newest.mean.shape[1])
    quantiles = None
    if older:
        quantiles = calibrate(seen, older).quantiles(seen, newest.mean, LEVELS)
    cutoff = panel.dates[newest.origin - 1]
    return [Judged(cutoff, seen.units, newest.actual, newest.mean, quantiles)]


def _sums(panel: Panel, judged: list[Judged]) -> tuple[np.ndarray, tuple[str, ...], Floats]:
    """Cutoffs, segments and sums, a row each, as `Figures` wants them."""
    cutoffs: list[int] = []
    names: list[str] = []
    rows = [np.zeros((0, COLUMNS))]
    for one in judged:
        kinds = segments(panel)
        found, sums = sums_of(one, kinds.names, kinds.codes)
        cutoffs += [int(_days(one.cutoff))] * len(found)
        names += found
        rows.append(sums)
    return np.array(cutoffs, dtype=np.int64), tuple(names), np.concatenate(rows)


def _days(moment: np.datetime64 | Dates) -> np.ndarray:
    return np.asarray(moment, dtype="datetime64[D]").astype(np.int64)


def _tiers(made: Forecast) -> list[str]:
    """(series,). What counts in each series' forecast, such as `plain+promo`."""
    names = []
    for row in made.weights.shares:
        used = zip(made.weights.tiers, row, strict=True)
        names.append("+".join(name for name, share in used if share >= SHOWN_SHARE))
    return [names[code] for code in made.segments.codes.tolist()]


def _model(tiers: list[str]) -> str:
    """Everything that counts for some series."""
    used = {name for tier in set(tiers) for name in tier.split("+")}
    return "+".join(sorted(used))


def _trends(panel: Panel) -> Floats:
    days = panel.periods * (7 if panel.period is Period.WEEK else 1)
    if days < LEAST_TREND_DAYS or PRODUCT not in panel.static:
        return _no_trends()
    return trend_rows(find_trends(panel, panel.static[PRODUCT]))


def _no_trends() -> Floats:
    return np.zeros((0, 5))
