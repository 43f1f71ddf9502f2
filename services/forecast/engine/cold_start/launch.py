"""How sales move with the age of an article: a profile of weeks since launch.

Levels of series and the profile are found in turns, each as a ratio of what sold to what the other
leads to expect, over the series that began while the panel was watching. Ages that few series have
reached are pulled towards no effect.
"""

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel

BIN_YEARS = 1 / 52
BINS = 26  # The last one is for all that is older.
UNSEEN_YEARS = 4 / 52
"""What is recorded this early in the panel was there before: its age is unknown."""
PRIOR_SERIES = 5.0
ROUNDS = 6
LEAST, MOST = 0.1, 10.0


def launch_profile(panel: Panel, units: Floats, exposed: Floats, future: int) -> Floats:
    """(series, periods + future). Multipliers by age; 1 before a launch and where it is unknown.

    A series without any record is launched in the first period of the future.

    Args:
        panel: gives the starts.
        units: (series, periods), 0 where not exposed.
        exposed: (series, periods). Expected units of a series with rate 1.
        future: columns after the panel's.
    """
    bins = _bins(panel, future)
    profile = _profile(units, exposed, bins[:, : panel.periods])
    return np.where(bins >= 0, profile[np.maximum(bins, 0)], 1.0)


def _bins(panel: Panel, future: int) -> Integers:
    """(series, periods + future). Weeks since the launch; -1 if unknown or before it."""
    width = max(1, round(BIN_YEARS * panel.period.year))
    starts = panel.starts()
    age = np.arange(panel.periods + future) - starts[:, np.newaxis]
    launched = (starts >= max(1.0, UNSEEN_YEARS * panel.period.year))[:, np.newaxis]
    return np.where((age >= 0) & launched, np.minimum(age // width, BINS - 1), -1)


def _profile(units: Floats, exposed: Floats, bins: Integers) -> Floats:
    """(BINS,)."""
    rows = (bins >= 0).any(axis=1) & (units.sum(axis=1) > 0)
    profile = np.ones(BINS)
    if not rows.any():
        return profile
    sold, due, codes = units[rows], exposed[rows], np.maximum(bins[rows], 0)
    inside = (bins[rows] >= 0) & (due > 0)
    sold, due = np.where(inside, sold, 0.0), np.where(inside, due, 0.0)
    for _ in range(ROUNDS):
        level = sold.sum(axis=1) / np.maximum((due * profile[codes]).sum(axis=1), 1e-12)
        # Each series counts alike, not by its units: relative to its level.
        weight = (1 / np.maximum(level, 1e-12))[:, np.newaxis]
        above = np.bincount(codes.ravel(), (sold * weight).ravel(), BINS)
        below = np.bincount(codes.ravel(), due.ravel(), BINS)
        reached = _series_in(codes, inside)
        typical = below / np.maximum(reached, 1.0) * PRIOR_SERIES
        profile = (above + typical) / np.maximum(below + typical, 1e-12)
        profile = np.where(below > 0, profile, 1.0).clip(LEAST, MOST)
    return _carried(profile, _series_in(codes, inside))


def _series_in(codes: Integers, inside: np.ndarray) -> Floats:
    """(BINS,). Series that were exposed at each age."""
    row = np.broadcast_to(np.arange(codes.shape[0])[:, np.newaxis], codes.shape)
    pairs = np.unique(row[inside] * BINS + codes[inside])
    return np.bincount(pairs % BINS, minlength=BINS).astype(np.float64)


def _carried(profile: Floats, reached: Floats) -> Floats:
    """Ages that no series has reached take the factor of the oldest that one has."""
    seen = np.flatnonzero(reached > 0)
    found = profile.copy()
    if seen.size:
        found[seen[-1] + 1 :] = profile[seen[-1]]
    return found
