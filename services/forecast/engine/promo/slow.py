"""Own terms of slow sellers, which are learnt from counts.

log(units + offset) moves little where a period sells no more than the offset, so that what
`response` learns of a promotion is too weak there. `counted` is unbiased however little sells, but
knows less of what is particular to a fast seller. Each series takes from both, by what it sells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import counted
from services.forecast.engine.promo.design import Design
from services.forecast.engine.promo.history import History
from services.forecast.engine.promo.terms import Single

EQUAL_UNITS = 5.0  # Sold a period by a series that takes as much from counts as from logarithms.
SERVES = {Period.DAY: 182, Period.WEEK: 26, Period.MONTH: 24}  # Columns that one learning serves.


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts say at one origin."""

    coefficients: Single  # (series, own terms)
    share: Single  # (series,). How far each series goes by it.

    def blended(self, rows: Integers, beta: Floats) -> Floats:
        """(rows, regressors). ``beta`` with its own terms, which come first, moved."""
        own = self.coefficients.shape[1]
        moved = np.array(beta)
        away = self.coefficients[rows] - moved[:, :own]
        moved[:, :own] += self.share[rows, np.newaxis] * away
        return moved


def learn(panel: Panel, design: Design, history: History, origins: Sequence[int]) -> list[Counted]:
    """What counts say at each of ``origins``, ascending.

    One learning serves the origins that follow soon, but the last has one of its own.
    """
    found: list[Counted] = []
    everyone = np.arange(panel.series)
    since = origins[0]
    for origin in origins:
        if not found or origin - since >= SERVES[panel.period] or origin == origins[-1]:
            answer = counted.learn(design, history, panel.static, origin, everyone)
            coefficients = answer.of(everyone).astype(np.float32)
            since = origin
        sold = history.units[:, :origin].sum(axis=1)
        rate = sold / np.maximum(history.exposure[:, :origin].sum(axis=1), 1.0)
        share = 1.0 / (1.0 + rate / EQUAL_UNITS)
        found.append(Counted(coefficients, share.astype(np.float32)))
    return found
