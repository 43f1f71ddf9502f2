"""Exponential smoothing with damped trends, over a grid of parameters instead of an optimiser.

Every series runs through every configuration; the forecast is the mean over the grid, weighted by
the likelihood of the one-step errors with a penalty for parameters (Akaike weights). Averaging
costs less than an optimiser and forecasts better than the single best (Kolassa 2011).
"""

from dataclasses import dataclass, fields

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers

TEMPER = 0.4  # Of the log-likelihood: errors are neither normal nor independent.
LATEST = 180  # Periods that smoothing reads: older ones do not tell which configuration is best.
START = 24  # Observations that the first level and slope are taken from, at most.
LEAST_START = 3
CACHED = 256  # Series at once, so that all configurations of them stay in the cache.
TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Grid:
    """Configurations; all (configurations, 1)."""

    level: Floats  # Gain of the level.
    slope: Floats  # Gain of the slope, as a share of the level's; 0 for a fixed drift.
    damping: Floats
    drift: Floats  # Share of the series' overall slope that a fixed drift has.
    parameters: Floats  # For the penalty.

    @staticmethod
    def of(
        levels: tuple[float, ...], gains: tuple[float, ...], drifts: tuple[float, ...]
    ) -> "Grid":
        fixed = [(a, 0.0, 1.0, d, 2.0 + (d > 0)) for a in levels for d in drifts]
        moving = [(a, b, p, 0.0, 5.0) for a in levels for b in gains for p in DAMPINGS]
        return Grid(*np.array(fixed + moving).T[:, :, np.newaxis])

    def theta(self, share: float) -> Booleans:
        """(configurations,). Those with that fixed ``share`` of the overall slope."""
        found: Booleans = ((self.slope == 0) & (self.drift == share))[:, 0]
        return found

    def only(self, kept: Booleans) -> "Grid":
        """The configurations ``kept``."""
        return Grid(*(getattr(self, each.name)[kept] for each in fields(self)))


DAMPINGS = (0.8, 0.9, 0.97)
FINE = Grid.of((0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0), (0.03, 0.1, 0.3), (0.0, 0.5, 1.0))
COARSE = Grid.of((0.05, 0.15, 0.4, 0.8), (0.1,), (0.0, 0.5))


@dataclass(frozen=True, slots=True)
class Smoothed:
    """Where each configuration stands after the last period; all (configurations, series)."""

    grid: Grid
    level: Floats
    slope: Floats
    squares: Floats  # Sums of squared errors, to compare configurations by.
    counts: Integers  # (series,). Observations.

    def only(self, kept: Booleans) -> "Smoothed":
        """The configurations ``kept``."""
        stand = self.level[kept], self.slope[kept], self.squares[kept]
        return Smoothed(self.grid.only(kept), *stand, self.counts)

    def forecast(self, ahead: int) -> Floats:
        """(ahead, series). What the values would be, were every weight 1."""
        weights = _akaike(self.squares, self.counts, self.grid)
        steps = np.cumsum(self.grid.damping ** np.arange(1, ahead + 1), axis=1)
        found: Floats = (weights * self.level).sum(axis=0) + steps.T @ (weights * self.slope)
        return found


def smooth(values: Floats, weight: Floats, scale: Floats, grid: Grid) -> Smoothed:
    """Runs every series through every configuration of ``grid``.

    Args:
        values: (periods, series), without season, of any sign.
        weight: (periods, series). Share of a period observed: nothing is learned where it is 0.
        scale: (periods, series) or (periods, 1). What errors are multiplied by to compare them.
        grid: configurations to try.
    """
    values, weight = values[-LATEST:], weight[-LATEST:]
    scale = np.broadcast_to(scale[-LATEST:], values.shape)
    stand = np.zeros((3, grid.level.shape[0], values.shape[1]))
    for at in range(0, values.shape[1], CACHED):
        part = slice(at, at + CACHED)
        stand[..., part] = _run(values[:, part], weight[:, part], scale[:, part], grid)
    level, slope, squares = stand
    return Smoothed(grid, level, slope, squares, (weight > 0).sum(axis=0))


def _run(
    values: Floats, weight: Floats, scale: Floats, grid: Grid
) -> tuple[Floats, Floats, Floats]:
    """Levels, slopes and sums of squared errors after the last period."""
    start, near = _line(values, weight, START)
    _, overall = _line(values, weight, values.shape[0])
    from_begin = np.where(grid.slope > 0, near, grid.drift * overall)
    seen = weight > 0
    begins = np.where(seen.any(axis=0), seen.argmax(axis=0), values.shape[0])
    level = np.broadcast_to(start, from_begin.shape).copy()
    slope = np.zeros_like(level)  # Until a series begins: its level stands still.
    squares, error, spare = np.zeros_like(level), np.zeros_like(level), np.zeros_like(level)
    gain = grid.level * grid.slope
    for at, (value, share, unit) in enumerate(zip(values, weight, scale, strict=True)):
        new = begins == at
        if new.any():
            slope[:, new] = from_begin[:, new]
        slope *= grid.damping
        level += slope
        np.subtract(value, level, out=error)
        error *= share
        level += np.multiply(grid.level, error, out=spare)
        slope += np.multiply(gain, error, out=spare)
        error *= unit
        squares += np.square(error, out=spare)
    return level, slope, squares


def _line(values: Floats, weight: Floats, most: int) -> tuple[Floats, Floats]:
    """Level just before, and slope over, the first ``most`` observations; both (series,)."""
    order = np.cumsum(weight > 0, axis=0) - 1.0
    share = np.where(order < most, weight, 0.0)
    zero = share.sum(axis=0)
    mean = (share * values).sum(axis=0) / np.maximum(zero, TINY)
    centre = (share * order).sum(axis=0) / np.maximum(zero, TINY)
    spread = (share * (order - centre) ** 2).sum(axis=0)
    together = (share * (order - centre) * (values - mean)).sum(axis=0)
    shown = (spread > 0) & ((share > 0).sum(axis=0) >= LEAST_START)
    slope = np.where(shown, together / np.where(shown, spread, 1.0), 0.0)
    return mean - slope * (centre + 1.0), slope


def _akaike(errors: Floats, counts: Integers, grid: Grid) -> Floats:
    """Weights of the configurations, which sum to 1 for each series."""
    floor = np.maximum(1e-12 * errors.max(axis=0), TINY)
    likelihood = -0.5 * TEMPER * counts * np.log(np.maximum(errors, floor)) - grid.parameters
    weights = np.exp(likelihood - likelihood.max(axis=0))
    found: Floats = weights / weights.sum(axis=0)
    return found
