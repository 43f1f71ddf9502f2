"""The log-linear response of units to the design, shrunk from group to panel.

Least squares on log1p of units, inside each series (every variable less its mean over the series),
with a ridge that is counted in observations: a coefficient with as many observations as the ridge
lies halfway between what its group says and what the panel says.
"""

from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.promo.design import Design

PANEL_RIDGE = 50.0  # Observations, towards no effect.


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the past of each series, of variables less their means."""

    gram: Floats  # (series, regressors, regressors).
    cross: Floats  # (series, regressors). With the response.
    count: Floats  # (series,).


def moments(design: Design, target: Floats, weight: Floats, origins: list[int]) -> list[Moments]:
    """Moments of ``target`` (series, columns) at each of ``origins``, ascending."""
    found = [
        Moments(
            np.zeros((design.series, design.width, design.width)),
            np.zeros((design.series, design.width)),
            np.zeros(design.series),
        )
        for _ in origins
    ]
    for rows in design.blocks():
        x = design.block(rows)
        w = weight[rows].astype(np.float32)
        z = np.nan_to_num(target[rows]).astype(np.float32)
        total: Floats | float = 0.0
        start = 0
        for index, stop in enumerate(origins):
            total = total + _raw(x[..., start:stop], z[:, start:stop], w[:, start:stop])
            found[index].gram[rows], found[index].cross[rows], found[index].count[rows] = _centred(
                total
            )
            start = stop
    return found


def _raw(x: np.ndarray, z: np.ndarray, w: np.ndarray) -> Floats:
    """(series, 1 + regressors + 1, same): sums of products of 1, regressors, and the target."""
    ones = np.ones((x.shape[0], 1, x.shape[2]), np.float32)
    all_ = np.concatenate((ones, x, z[:, np.newaxis]), axis=1)
    return ((all_ * w[:, np.newaxis]) @ all_.transpose(0, 2, 1)).astype(np.float64)


def _centred(total: Floats) -> tuple[Floats, Floats, Floats]:
    count = total[:, 0, 0]
    sums = total[:, 0, 1:]
    safe = np.maximum(count, 1e-12)[:, np.newaxis, np.newaxis]
    inner = total[:, 1:, 1:] - sums[:, :, np.newaxis] * sums[:, np.newaxis, :] / safe
    return inner[:, :-1, :-1], inner[:, :-1, -1], count


def coefficients(found: Moments, codes: Integers | None, ridge: float) -> Floats:
    """(series, regressors), or (1, regressors) without ``codes``: one row serves all series."""
    gram, cross = found.gram.sum(axis=0), found.cross.sum(axis=0)
    spread = np.diag(gram) / max(float(found.count.sum()), 1.0)
    spread = np.where(spread > 1e-9, spread, np.inf)
    finite = np.where(np.isinf(spread), 1.0, spread)
    alive = ~np.isinf(spread)
    panel = _solved(gram[np.newaxis], cross[np.newaxis], PANEL_RIDGE * finite, alive)
    if codes is None:
        return panel
    size = int(codes.max()) + 1
    grams = np.zeros((size, *gram.shape))
    crosses = np.zeros((size, gram.shape[0]))
    np.add.at(grams, codes, found.gram)
    np.add.at(crosses, codes, found.cross)
    away = crosses - grams @ panel[0]
    return (panel + _solved(grams, away, ridge * finite, alive))[codes]


def _solved(gram: Floats, cross: Floats, ridge: Floats, alive: np.ndarray) -> Floats:
    width = gram.shape[-1]
    if width == 0:
        return np.zeros(cross.shape)
    full = gram + np.eye(width) * (ridge + 1e-9)
    rhs = np.where(alive, cross, 0.0)
    return np.where(alive, np.linalg.solve(full, rhs[..., np.newaxis])[..., 0], 0.0)
