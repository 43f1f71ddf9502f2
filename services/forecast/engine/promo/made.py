"""What a model at one origin multiplies by, for all series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.promo.design import Design

LOG_LIMIT = 4.0  # No multiplier beyond exp(4), 55 times, nor below its inverse.
RECENT = 50  # Columns before an origin that say what a plan did of late, and
RECENTLY = 0.9  # the discount of each.


@dataclass(frozen=True, slots=True)
class Made:
    """Filled block by block."""

    origin: int
    own: int  # Regressors that are a series' own terms. They come first.
    betas: NDArray[np.float32]  # (series, regressors)
    logs: NDArray[np.float32]  # (series, columns)
    plan: NDArray[np.float32]  # (series, ahead)

    @classmethod
    def blank(cls, design: Design, origin: int, ahead: int) -> "Made":
        widths = (design.width, origin + ahead, ahead)
        betas, logs, plan = (np.zeros((design.series, width), np.float32) for width in widths)
        return cls(origin, len(design.recipe.labels()), betas, logs, plan)

    def fill(self, rows: Integers, x: NDArray[np.float32], beta: Floats) -> None:
        """``x`` is (rows, regressors, columns), ``beta`` (rows, regressors)."""
        self.betas[rows] = beta
        self.logs[rows] = multiplied(x[..., : self.logs.shape[1]], beta)
        if not self.own:
            return
        first = max(0, self.origin - RECENT)
        past = self.origin - first
        own = x[:, : self.own, first : self.logs.shape[1]]
        effect = multiplied(own, beta[:, : self.own])
        fading = RECENTLY ** np.arange(past - 1, -1, -1.0)
        usual = np.log(np.exp(effect[:, :past]) @ (fading / fading.sum()))
        self.plan[rows] = effect[:, past:] - usual[:, np.newaxis]


def multiplied(x: NDArray[np.float32], beta: Floats) -> NDArray[np.float32]:
    """(series, columns). Log multipliers."""
    logs = (beta[:, np.newaxis].astype(np.float32) @ x)[:, 0]
    return np.asarray(logs.clip(-LOG_LIMIT, LOG_LIMIT))
