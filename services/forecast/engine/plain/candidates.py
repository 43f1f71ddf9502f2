"""The candidates: levels and trends under a calendar profile, for one origin.

Each is a name, and a forecast of (ahead, series). Names are pairs of a profile and a model.
"""

from collections.abc import Collection

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.plain.levels import damped, levels, slopes
from services.forecast.engine.plain.observed import Observed
from services.forecast.engine.plain.seasons import NONE
from services.forecast.engine.plain.smoothing import Grid
from services.forecast.engine.plain.smoothings import (
    LEAST_FACTOR,
    SMOOTHINGS,
    TREND_SHARE,
    smoothings,
)

Key = tuple[str, str]

HALF_LIVES = (1, 2, 4, 8, 16, 32, 64, 128)
TREND_HALF_LIVES = (1, 4, 16)
CAPPED_HALF_LIVES = (4, 8, 16, 32, 64)
CAPS = (2, 4)  # Times the mean of the periods with sales.
SLOPES = {"recent": 0.5 ** (1 / 32), "whole": 1.0}  # Discounts.
TREND_DAMPING = 0.97
OWN_PROFILES = ("year", "week", NONE)  # Of each series' own, the richest first.
REGRESSIONS = {"lags": np.inf, "lags 2": 2.0}  # And the caps under which they are learned.
WORTH_LOGS = 0.2  # Share of series without a zero from which logarithms are worth their while.
REPEAT: Key = ("last", "season")


def names(profiles: Collection[str], *, logs: bool) -> list[Key]:
    """All candidates under ``profiles``; ``logs`` if logarithms can be taken of many series."""
    found: list[Key] = [REPEAT]
    richest = next(name for name in OWN_PROFILES if name in profiles)
    for profile in sorted(profiles):
        found += [(profile, f"level {life}") for life in HALF_LIVES]
        found += [
            (profile, f"trend {life} {slope}") for life in TREND_HALF_LIVES for slope in SLOPES
        ]
        found += [(profile, f"capped {life} {cap}") for life in CAPPED_HALF_LIVES for cap in CAPS]
        if profile == richest:
            found += [(profile, kind) for kind in REGRESSIONS]
        # Under no profile as well: where hardly two years were seen, a trend passes for a season.
        if profile in OWN_PROFILES:
            kinds = SMOOTHINGS if logs else SMOOTHINGS[:3]
            found += [(profile, kind) for kind in kinds if profile != NONE or kind != "smooth sum"]
    return found


def worth_logs(observed: Observed) -> bool:
    return bool(observed.positive().mean() > WORTH_LOGS)


def under(
    observed: Observed, profile: Floats, wanted: Collection[str], grid: Grid
) -> dict[str, Floats]:
    """Forecasts of the models ``wanted`` under a ``profile`` (periods + ahead, series or 1)."""
    periods = observed.units.shape[0]
    exposed, later = observed.weight * profile[:periods], profile[periods:]
    found: dict[str, Floats] = {}
    slope = {
        name: slopes(observed.units, exposed, discount)
        for name, discount in SLOPES.items()
        if any(model.endswith(name) for model in wanted)
    }
    discounts = 0.5 ** (1.0 / np.array(HALF_LIVES))
    every = dict(zip(HALF_LIVES, levels(observed.units, exposed, discounts), strict=True))
    held = {
        str(cap): levels(observed.capped(cap, profile[:periods]).units, exposed, discounts)
        for cap in CAPS
        if any(model.startswith("capped") and model.endswith(f" {cap}") for model in wanted)
    }
    for model in wanted:
        kind, *rest = model.split(" ")
        if kind == "level":
            found[model] = every[int(rest[0])] * later
        elif kind == "capped":
            found[model] = held[rest[1]][HALF_LIVES.index(int(rest[0]))] * later
        elif kind == "trend":
            found[model] = _trend(every[int(rest[0])], slope[rest[1]], model, later)
    return found | smoothings(observed, profile, {*wanted} & {*SMOOTHINGS}, grid)


def repeated(observed: Observed, season: int, ahead: int) -> Floats:
    """The last season again; where it was not observed, the mean of all."""
    periods = observed.units.shape[0]
    mean = levels(observed.units, observed.weight, np.ones(1))
    at = periods - min(season, periods) + np.arange(ahead) % season
    at = np.minimum(at, periods - 1)
    share = observed.weight[at]
    return np.where(share > 0, observed.units[at] / np.where(share > 0, share, 1.0), mean)


def _trend(level: Floats, slope: Floats, model: str, later: Floats) -> Floats:
    _, life, _ = model.split(" ")
    discount = 0.5 ** (1.0 / int(life))
    # A discounted mean is as old as its weights are on average: as far is its trend behind.
    behind = min(discount / (1.0 - discount), 1.0 / (1.0 - TREND_DAMPING))
    steps = behind + damped(TREND_DAMPING, later.shape[0])
    found: Floats = np.maximum(level + TREND_SHARE * slope * steps, 0.0) * later
    return found


def rates(observed: Observed, profile: Floats, cap: float) -> tuple[Floats, Floats]:
    """Units of a whole period without the profile, and 1 where they are known; as observed."""
    past = profile[: observed.units.shape[0]]
    usable = np.where(past > LEAST_FACTOR, observed.weight, 0.0)
    kept = observed if np.isinf(cap) else observed.capped(cap, past)
    known = usable > 0
    rate = kept.units / np.where(known, usable * past, 1.0)
    return np.where(known, rate, 0.0), known.astype(np.float64)
