"""How much each candidate counts: the least squares of their past errors, shrunk.

For each series the weights minimise the squared error of the combination over past origins, over
all weights that are not negative and sum to 1. The products of errors that this needs are drawn
from the series towards those of the panel, since a series has but a handful of errors of its own.
"""

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers

PANEL_ERRORS = 300.0  # How many errors of its own a series needs to count as much as the panel.
KEPT = 12
BEST = 3  # Candidates that are kept for their own sake.
STEPS = 300
STEPS_EACH = 60
RATE = 2.0
MOST_STEP = 5.0
MERIT = 5.0  # How much less a candidate starts with whose mean square is twice the best.
TINY = 1e-300


def products(errors: Floats, per_series: Floats) -> Floats:
    """(candidates, candidates). Sums of products of errors, weighted by series; trace is 1 a row.

    Args:
        errors: (candidates, errors, series), 0 where there is none.
        per_series: (series,), not negative.
    """
    flat = (errors * np.sqrt(per_series)).reshape(errors.shape[0], -1)
    return _normalised(flat @ flat.T)


def importance(square: Floats, scales: Floats) -> Floats:
    """(series,). What a series' squared errors count for in the panel's mean RMSSE.

    The root of RMSSE is linearised at a forecast with mean squares ``square`` (series,), so that
    sums of squares can stand for sums of roots. 0 where nothing can be said.
    """
    shown = (square > 0) & (scales > 0)
    safe = np.where(shown, square, 1.0)
    return np.where(shown, 1.0 / (np.sqrt(safe) * np.where(shown, scales, 1.0)), 0.0)


def combine(products_of: Floats, start: Floats, steps: int) -> Floats:
    """Weights (..., candidates) on the simplex that minimise the quadratic form, from ``start``.

    Exponentiated gradient (Kivinen and Warmuth 1997): it stays on the simplex, and stopping early
    keeps the weights near where they started.
    """
    weights = start
    for _ in range(steps):
        slope = (products_of @ weights[..., np.newaxis])[..., 0]
        slope = slope - (slope * weights).sum(axis=-1, keepdims=True)
        weights = weights * np.exp(-RATE * np.clip(slope, -MOST_STEP, MOST_STEP))
        weights = weights / weights.sum(axis=-1, keepdims=True)
    return weights


def best(gram: Floats) -> Floats:
    """(candidates,). The panel's weights.

    Those that did well alone start ahead: not all that cancelled out once will do so again.
    """
    squares = np.diag(gram) + TINY
    start = np.exp(-MERIT * (squares / squares.min() - 1.0))
    return combine(_normalised(gram), start / start.sum(), STEPS)


def select(gram: Floats) -> tuple[Integers, Floats]:
    """Indices of the candidates worth keeping, and the panel's weights of those."""
    alone = np.argsort(np.diag(gram), kind="stable")[:BEST]
    together = np.argsort(-best(gram), kind="stable")[:KEPT]
    kept = np.unique(np.concatenate([together, alone]))
    return kept, best(gram[np.ix_(kept, kept)])


def each(errors: Floats, known: Booleans, gram: Floats, start: Floats) -> Floats:
    """(series, candidates). Weights of each series.

    Args:
        errors: (candidates, errors, series), 0 where there is none.
        known: (errors, series). Where there is one.
        gram: (candidates, candidates). The panel's products.
        start: (candidates,). The panel's weights.
    """
    counts = known.sum(axis=0)[:, np.newaxis, np.newaxis].astype(np.float64)
    by_series = np.ascontiguousarray(errors.transpose(2, 0, 1))
    own = by_series @ by_series.transpose(0, 2, 1)
    trace = np.trace(own, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] / errors.shape[0]
    own = np.where(trace > 0, own / np.where(trace > 0, trace, 1.0), 0.0)
    mixed = (counts * own + PANEL_ERRORS * _normalised(gram)) / (counts + PANEL_ERRORS)
    return combine(mixed, np.broadcast_to(start, (own.shape[0], start.size)), STEPS_EACH)


def _normalised(gram: Floats) -> Floats:
    mean = float(np.trace(gram)) / gram.shape[0]
    return gram / mean if mean > 0 else gram
