"""The parts of a panel in which coverage must hold, by what was known before."""

import numpy as np

from proofs.calibrated.cases import Case
from services.forecast.engine.arrays import Floats, Integers

SPARSITY = (0.05, 0.25, 0.5, 0.75, 0.9)
FIFTHS, THIRDS = 5, 3
LEAST_DISCOUNT = 0.05
PLACES = ("store", "category", "state")


def parts(case: Case) -> dict[str, Integers]:
    """Name to codes, (series, 1) or (series, ahead)."""
    panel = case.panel
    units = panel.units
    known = ~np.isnan(units)
    count = np.maximum(known.sum(axis=1), 1)
    zeros = (units == 0).sum(axis=1) / count
    level = np.where(known, units, 0.0).sum(axis=1) / count
    half = (np.arange(panel.ahead) >= panel.ahead / 2).astype(np.int64)[np.newaxis]
    found = {
        "sparsity": np.digitize(zeros, SPARSITY)[:, np.newaxis],
        "level": _ranked(level, FIFTHS)[:, np.newaxis],
        "history": _ranked(panel.lives().astype(np.float64), THIRDS)[:, np.newaxis],
        "half": half,
    }
    promoted = _promoted(case)
    if promoted is not None:
        found["promoted"] = promoted
    named = {name: panel.static[name] for name in PLACES if name in panel.static}
    return found | {name: codes[:, np.newaxis] for name, codes in named.items()}


def _ranked(values: Floats, shares: int) -> Integers:
    """Equal shares by rank; equal values stay together."""
    sorted_values = np.sort(values)
    rank = np.searchsorted(sorted_values, values, side="left")
    return np.asarray(rank * shares // max(values.size, 1))


def _promoted(case: Case) -> Integers | None:
    """1 where a flag is up or a price is reduced in the period to be forecast."""
    known = case.panel.known
    ahead = {name: values[:, -case.panel.ahead :] for name, values in known.items()}
    up = [ahead[name] > 0 for name in ("feature", "display", "tpr_only") if name in known]
    up += [ahead[name] >= LEAST_DISCOUNT for name in ("discount",) if name in known]
    return np.any(up, axis=0).astype(np.int64) if up else None
