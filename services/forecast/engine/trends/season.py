"""The shape of the year, of each group or of all together."""

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.trends.index import Index

SMOOTHING = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
LEAST_PROFILE = 0.02
PRIOR_YEARS = 1.0
"""Years of a group's own history at which its own shape is half believed."""


def seasonal_log(index: Index, ahead: int) -> Floats:
    """(groups, steps + ahead). Log of expected over average demand of the year; 0 if unknown.

    Whole years are counted back from the end of the index; each is divided by its own mean, so that
    growth from year to year stays out. Groups borrow from the shape of all groups. Without a whole
    year nothing is known and nothing expected.
    """
    groups, steps = index.demand.shape
    length = round(index.year)
    years = steps // length
    if years < 1:
        return np.zeros((groups, steps + ahead))
    recent = index.demand[:, steps - years * length :].reshape(groups, years, length)
    full = ~np.isnan(recent).any(axis=2)
    whole = np.nan_to_num(recent)
    mean = whole.mean(axis=2, keepdims=True)
    usable = full & (mean[:, :, 0] > 0)
    shape = np.where(usable[:, :, np.newaxis], whole / np.maximum(mean, 1e-12), 0.0)
    own_years = usable.sum(axis=1)[:, np.newaxis]
    pooled = _pooled(whole, usable)
    profile = (shape.sum(axis=1) + PRIOR_YEARS * pooled) / (own_years + PRIOR_YEARS)
    log = np.log(np.maximum(_smooth(profile), LEAST_PROFILE))
    position = (np.arange(steps + ahead) - steps) % length
    return log[:, position]


def _pooled(years: Floats, usable: Floats) -> Floats:
    """(length,). The shape of all groups, each with the square root of its units."""
    units = years.sum(axis=2)
    weight = np.where(usable, np.sqrt(units) / np.maximum(units, 1e-12), 0.0)
    total = (years * weight[:, :, np.newaxis]).sum(axis=(0, 1))
    if total.sum() <= 0:
        return np.ones(years.shape[2])
    pooled: Floats = total / total.mean()
    return pooled


def _smooth(profile: Floats) -> Floats:
    """Triangular over five steps, around the turn of the year."""
    reach = SMOOTHING.size // 2
    found = np.zeros_like(profile)
    for shift, weight in zip(range(-reach, reach + 1), SMOOTHING, strict=True):
        found += weight * np.roll(profile, shift, axis=1)
    return found
