"""A new choice or a new store: what to expect, and what it was compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaincinv

from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.cold_start.analogues import (
    Analogues,
    item_columns,
    nearest,
    rates_like,
)
from services.forecast.engine.cold_start.cold import Learnt, Rates, learn
from services.forecast.engine.panel import Panel

BLEND = 0.5
"""Of the analogues that attributes lead to, against the effects of those attributes themselves."""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """What is expected of new series, one row each."""

    mean: Floats  # (rows, ahead). Units a period.
    rates: Rates  # Of an ordinary period.
    profile: Floats  # (rows, ahead). What each period is to an ordinary one.
    analogues: Analogues  # What was compared with; empty if no item column was named.

    def quantile(self, level: float) -> Floats:
        """(rows,). Of the rate, with what is not known about it; not of single periods' sales."""
        found: Floats = gammaincinv(self.rates.shape, level) / self.rates.rate
        return found


def estimate(
    panel: Panel,
    newcomers: Mapping[str, Integers],
    ahead: int,
    item: str | None = None,
    analogues: Mapping[int, float] | None = None,
) -> ColdStart:
    """Expects the sales of series that ``panel`` does not have, launched in its first new period.

    A new choice is one row a store that is to carry it; a new store one row a choice.

    Args:
        panel: the history.
        newcomers: (rows,) each, for every static column of the panel: codes, -1 where a row has
            one that the panel does not know.
        ahead: periods.
        item: the static column that names items, to compare the first row's item with others.
        analogues: weights of items by their code in ``item``, in place of those that attributes
            lead to; the rate is then theirs alone.

    Raises:
        ValueError: a static column of the panel is missing in ``newcomers``; analogues were given
            without ``item``, or are not items of the panel.
    """
    _check(panel, newcomers, item, analogues)
    rows = next(iter(newcomers.values())).size if newcomers else 1
    learnt = learn(_with_blanks(panel, newcomers, rows), ahead)
    learnt = replace(learnt, static=panel.static, exposure=learnt.exposure[: panel.series])
    nothing = np.zeros(rows)
    rates = learnt.rates_of(newcomers, nothing, nothing)
    compared = Analogues(np.zeros(0, dtype=np.int64), np.zeros(0))
    if item is not None:
        compared = (
            nearest(learnt, item, _wanted(learnt, item, newcomers))
            if analogues is None
            else Analogues.of(analogues)
        )
    if item is not None and compared.items.size:
        like = rates_like(learnt, item, newcomers, compared)
        share = BLEND if analogues is None else 1.0
        expected = rates.expected ** (1 - share) * like**share
        rates = Rates(expected, rates.shape, rates.shape / expected)
    profile = learnt.profile[panel.series :, panel.periods :]
    return ColdStart(rates.mean[:, np.newaxis] * profile, rates, profile, compared)


def _wanted(learnt: Learnt, item: str, newcomers: Mapping[str, Integers]) -> dict[str, int]:
    return {name: int(newcomers[name][0]) for name in item_columns(learnt.static, item)}


def _with_blanks(panel: Panel, newcomers: Mapping[str, Integers], rows: int) -> Panel:
    """The panel with rows of which nothing is recorded, for their place in the profile."""
    blank = np.full((rows, panel.periods), np.nan)
    return Panel(
        panel.period,
        panel.dates,
        np.vstack([panel.units, blank]),
        static={
            name: np.concatenate([codes, newcomers[name]]) for name, codes in panel.static.items()
        },
        exposure=None if panel.exposure is None else np.vstack([panel.exposure, 0 * blank + 1]),
    )


def _check(
    panel: Panel,
    newcomers: Mapping[str, Integers],
    item: str | None,
    analogues: Mapping[int, float] | None,
) -> None:
    missing = sorted(set(panel.static) - set(newcomers))
    if missing:
        raise ValueError(f"newcomers: codes are missing for {missing}.")
    if analogues is None:
        return
    if item is None:
        raise ValueError("analogues: name the static column of items in `item`.")
    unknown = sorted(set(analogues) - set(panel.static[item].tolist()))
    if unknown:
        raise ValueError(f"analogues: {unknown} are not codes of {item}.")
