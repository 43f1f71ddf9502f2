"""Kinds of series, by what can be seen of them: each kind trusts the tiers in its own measure."""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel

LIVES = ("young", "old")  # Less than a season and a half of life; more.
SALES = ("steady", "patchy", "rare")  # By the share of periods in which something sold.
OLD_SEASONS = 1.5
STEADY_SHARE = 0.8
RARE_SHARE = 0.35


@dataclass(frozen=True, slots=True)
class Segments:
    """A kind for each series."""

    names: tuple[str, ...]
    codes: Integers  # (series,). Index into ``names``.


def segments(panel: Panel) -> Segments:
    """Kinds by length of life and by how often the series sells, both seen in the whole past."""
    old = panel.lives() >= OLD_SEASONS * panel.period.year
    share = selling_share(panel.units)
    sales = (share < STEADY_SHARE).astype(np.int64) + (share < RARE_SHARE)
    names = tuple(f"{life}, {kind}" for life in LIVES for kind in SALES)
    return Segments(names, old.astype(np.int64) * len(SALES) + sales)


def selling_share(units: Floats) -> Floats:
    """(series,). Share of the recorded periods since the first sale in which something sold."""
    sold = units > 0
    first = np.where(sold.any(axis=1), sold.argmax(axis=1), units.shape[1])
    recorded = ~np.isnan(units) & (np.arange(units.shape[1]) >= first[:, np.newaxis])
    return np.asarray(sold.sum(axis=1) / np.maximum(recorded.sum(axis=1), 1), dtype=np.float64)
