"""The shape of the year, of each group or of all together."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.trends.index import Index, add_up

SMOOTHING = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
LEAST_PROFILE = 0.02
PRIOR_KIN = 2.0  # Typical groups that the shape of all is worth beside that of a kin's own.
PRIOR_YEARS = 2.0
"""Years of a group's own history at which its own shape is half believed."""


@dataclass(frozen=True, slots=True)
class Season:
    log: Floats  # (groups, steps + ahead). Of expected over average demand of the year.
    doubt: Floats  # (groups,). Error variance of its growth over the variance of growth itself.

    def until(self, stop: int) -> Floats:
        """(groups, stop). The multipliers of the first steps."""
        return np.asarray(np.exp(self.log[:, :stop]))


def season(index: Index, ahead: int, kin: Integers | None = None) -> Season:
    """The season of each group, 1 throughout if unknown.

    Whole years are counted back from the end of the index; each is divided by its own mean, so that
    growth from year to year stays out. Groups borrow from the shape of their kin, and these from
    that of all. Without a whole year nothing is known and nothing expected.

    What moved a group in an earlier year is partly taken for its season, hence the doubt: the mean
    of n growths that vary like any growth.

    Args:
        index: demand of the groups.
        ahead: steps after it.
        kin: (groups,). Codes of groups that share a season, such as a category's; None if all do.
    """
    groups, steps = index.demand.shape
    length = round(index.year)
    years = steps // length
    if years < 1:
        return Season(np.zeros((groups, steps + ahead)), np.zeros(groups))
    kin = np.zeros(groups, dtype=np.int64) if kin is None else kin
    recent = index.demand[:, steps - years * length :].reshape(groups, years, length)
    whole = np.nan_to_num(recent)
    mean = whole.mean(axis=2, keepdims=True)
    usable = ~np.isnan(recent).any(axis=2) & (mean[:, :, 0] > 0)
    shape = np.where(usable[:, :, np.newaxis], whole / np.maximum(mean, 1e-12), 0.0)
    own = usable.sum(axis=1)
    pooled = _pooled(whole, usable, np.zeros_like(kin), np.ones((1, length)))
    pooled = _pooled(whole, usable, kin, pooled[0])[kin]
    profile = shape.sum(axis=1) + PRIOR_YEARS * pooled
    profile = profile / (own + PRIOR_YEARS)[:, np.newaxis]
    log = np.log(np.maximum(_smooth(profile), LEAST_PROFILE))
    relatives = np.bincount(kin, own > 0)[kin] + PRIOR_KIN
    doubt = (own + PRIOR_YEARS**2 / relatives) / (own + PRIOR_YEARS) ** 2
    return Season(log[:, (np.arange(steps + ahead) - steps) % length], doubt)


def _pooled(years: Floats, usable: Booleans, kin: Integers, prior: Floats) -> Floats:
    """(kins, length). The shape of all groups of a kin, each with the square root of its units."""
    units = years.sum(axis=2)
    weight = np.where(usable, np.sqrt(units) / np.maximum(units, 1e-12), 0.0)
    shape = (years * weight[:, :, np.newaxis]).sum(axis=1)
    total = add_up(shape, kin, int(kin.max(initial=0)) + 1)
    trust = total.mean(axis=1, keepdims=True)
    extra = PRIOR_KIN * float(np.median(shape.mean(axis=1)))
    pooled: Floats = (total + extra * prior) / np.maximum(trust + extra, 1e-12)
    return np.where(trust + extra > 0, pooled, prior)


def _smooth(profile: Floats) -> Floats:
    """Triangular over five steps, around the turn of the year."""
    reach = SMOOTHING.size // 2
    found = np.zeros_like(profile)
    for shift, weight in zip(range(-reach, reach + 1), SMOOTHING, strict=True):
        found += weight * np.roll(profile, shift, axis=1)
    return found
