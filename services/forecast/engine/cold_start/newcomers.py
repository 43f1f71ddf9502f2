"""A new choice or store: what to expect, and what it was compared with."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.cold_start.cold import cold_rates
from services.forecast.engine.panel import Panel

MOST_ANALOGUES = 10


@dataclass(frozen=True, slots=True)
class ColdStart:
    """What is expected of new series. Arrays by row of the question."""

    mean: Floats  # (rows, ahead). Units a period.
    shape: Floats  # (rows,). Of the Gamma distribution of the rate, for ranges and updates.
    analogues: Integers  # (analogues,). Codes of the items it was compared with, heaviest first.
    weights: Floats  # (analogues,). Adding up to 1.


def estimate(
    panel: Panel,
    newcomers: Mapping[str, Integers],
    ahead: int,
    item: str | None = None,
    analogues: Mapping[int, float] | None = None,
) -> ColdStart:
    """Expects the sales of series that are not in ``panel``.

    Args:
        panel: the history.
        newcomers: for each static column of the panel, the code of each new row; -1 where it is
            new itself (the item, or the store).
        ahead: periods.
        item: the static column that names an item (a choice), whose rows are one per store.
        analogues: codes of items and their weights, in place of those found by attributes.
    """
    rows = next(iter(newcomers.values())).size
    blank = np.full((rows, panel.periods), np.nan)
    both = _append(panel, newcomers, blank)
    new = np.arange(panel.series, panel.series + rows)
    rates = cold_rates(both, new)
    mean = np.repeat(rates.mean[:, np.newaxis], ahead, axis=1)
    codes, weights = _analogues(panel, newcomers, item) if analogues is None else _given(analogues)
    return ColdStart(mean, rates.shape, codes, weights)


def _append(panel: Panel, newcomers: Mapping[str, Integers], blank: Floats) -> Panel:
    return Panel(
        panel.period,
        panel.dates,
        np.vstack([panel.units, blank]),
        static={
            name: np.concatenate([codes, newcomers[name]]) for name, codes in panel.static.items()
        },
        exposure=None if panel.exposure is None else np.vstack([panel.exposure, blank * 0]),
    )


def _analogues(
    panel: Panel, newcomers: Mapping[str, Integers], item: str | None
) -> tuple[Integers, Floats]:
    """Items that share attributes with the first row, by how rare what they share is."""
    if item is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    codes = panel.static[item]
    score = np.zeros(int(codes.max(initial=-1)) + 1)
    for name, column in panel.static.items():
        wanted = newcomers[name][0]
        if name == item or wanted < 0:
            continue
        shared = column == wanted
        score[np.unique(codes[shared])] += -np.log(max(shared.mean(), 1e-9))
    order = np.argsort(-score, kind="stable")[:MOST_ANALOGUES]
    order = order[score[order] > 0]
    return order, score[order] / max(score[order].sum(), 1e-12)


def _given(analogues: Mapping[int, float]) -> tuple[Integers, Floats]:
    codes = np.array(list(analogues), dtype=np.int64)
    weights = np.array(list(analogues.values()))
    order = np.argsort(-weights, kind="stable")
    return codes[order], weights[order] / max(weights.sum(), 1e-12)
