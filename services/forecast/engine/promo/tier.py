"""The promotion tier: level by discounted sums, times the pooled response to what is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.promo.design import Design, build, echoes
from services.forecast.engine.promo.response import coefficients, moments

LOG_LIMIT = 4.0  # No multiplier goes beyond exp(4) = 55 or below its inverse.


@dataclass(frozen=True, slots=True)
class PromoFit:
    """The model at one origin."""

    origin: int
    design: Design  # Shared by all fits of one call; reaches beyond this origin's horizon.
    coefficients: Floats  # (series, regressors).
    log_multiplier: Floats  # (series, origin + ahead).
    level: Floats  # (series,). Expected units of an ordinary period.

    @property
    def mean(self) -> Floats:
        """(series, ahead). Expected units."""
        future = self.log_multiplier[:, self.origin :]
        return self.level[:, np.newaxis] * np.exp(future)


@dataclass(frozen=True, slots=True)
class PromoTier:
    discount: float = 0.88
    ridge: float = 300.0
    name: str = "promo"

    def run(self, panel: Panel, origins: Sequence[int], ahead: int) -> list[Floats]:
        return [fit.mean for fit in self.fits(panel, origins, ahead)]

    def fits(self, panel: Panel, origins: Sequence[int], ahead: int) -> list[PromoFit]:
        """The model at each of ``origins``."""
        origins = list(origins)
        design = build(panel, origins[0], ahead)
        on = _recorded(panel)
        target = np.log1p(np.where(on, panel.units, 0.0) / _exposed(panel))
        weight = on.astype(np.float64)
        first = moments(design, target, weight, origins[:1])[0]
        strength = _strength(design, coefficients(first, None, 0.0)[0])
        if strength is not None:
            groups = [(name, codes) for name, codes in sorted(panel.static.items())]
            design = design.with_own(echoes(strength, groups))
        codes = _group(panel)
        found = []
        for origin, sums in zip(origins, moments(design, target, weight, origins), strict=True):
            beta = coefficients(sums, codes, self.ridge)
            logs = _multiplied(design, beta, origin + ahead)
            level = levels(panel, on, logs, origin, self.discount)
            found.append(PromoFit(origin, design, beta, logs, level))
        return found


def _recorded(panel: Panel) -> Booleans:
    on = np.isfinite(panel.units)
    if panel.exposure is not None:
        on &= panel.exposure > 0
    return on


def _exposed(panel: Panel) -> Floats:
    if panel.exposure is None:
        return np.ones((1, 1))
    return np.where(panel.exposure > 0, panel.exposure, 1.0)


def _group(panel: Panel) -> np.ndarray | None:
    """The static column whose groups are smallest while still of 20 series on average."""
    best = None
    for _, codes in sorted(panel.static.items()):
        groups = np.unique(codes).size
        if panel.series / groups >= 20 and (best is None or groups > np.unique(best).size):
            best = codes
    return best


def _strength(design: Design, beta: Floats) -> np.ndarray | None:
    if not design.own:
        return None
    found = np.zeros((design.series, design.length), np.float32)
    for term, value in zip(design.own, beta, strict=False):
        found += np.float32(value) * term.values
    return found


def _multiplied(design: Design, beta: Floats, stop: int) -> Floats:
    found = np.empty((design.series, stop))
    for rows in design.blocks():
        x = design.block(rows)[..., :stop]
        b = beta[rows] if len(beta) > 1 else beta
        found[rows] = (b[:, np.newaxis].astype(np.float32) @ x)[:, 0]
    return found.clip(-LOG_LIMIT, LOG_LIMIT)


def levels(panel: Panel, on: Booleans, logs: Floats, origin: int, discount: float) -> Floats:
    """(series,). Discounted units by discounted multipliers, both of the recorded periods."""
    fading = discount ** np.arange(origin - 1, -1, -1.0)
    seen = on[:, :origin]
    expected = np.exp(logs[:, :origin]) * seen
    if panel.exposure is not None:
        expected = expected * panel.exposure[:, :origin]
    units = np.where(seen, panel.units[:, :origin], 0.0) @ fading
    multipliers = expected @ fading
    return np.divide(units, multipliers, out=np.zeros_like(units), where=multipliers > 0)
