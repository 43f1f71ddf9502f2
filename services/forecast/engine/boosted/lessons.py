"""Describes forecasts to a model, and turns those of the past into lessons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.boosted.bench import Bench
from services.forecast.engine.boosted.features import SHORT, SOFT, WINDOWS, Block, build
from services.forecast.engine.boosted.rows import Rows
from services.forecast.engine.boosted.said import Said
from services.forecast.engine.panel import Panel
from services.forecast.engine.scales import rms_steps

MOST_UNITS = 50.0  # Levels: a target beyond is cut.
MOST_WEIGHT = 8.0
LEAST_SHARE = 0.1  # Of a period on the shelf: with less, units are not scaled up any further.


@dataclass(frozen=True, slots=True)
class Asked:
    """Which forecasts of the past to learn from."""

    origins: Sequence[int]  # Columns of the panel that were seen.
    steps: int  # Up to so many periods ahead of each.


@dataclass(frozen=True, slots=True)
class Described:
    """Rows and what is known of them."""

    names: tuple[str, ...]
    values: NDArray[np.float32]  # (rows, features).
    unit: Floats  # (rows,). The level of the series at the origin.


@dataclass(frozen=True, slots=True)
class Past:
    """Described rows, and what then happened."""

    rows: Described
    units: Floats  # (rows,). In levels, as for a full period on the shelf.
    weight: Floats  # (rows,).


def describe(block: Block, rows: Rows, saids: Mapping[int, Said] | None, first: int) -> Described:
    """Describes ``rows`` of ``block``; their origins count from column ``first`` of the panel.

    With ``saids``, what a simple tier said from each of the origins is told as well; lags then are
    without its multipliers. Alone, a model learns more from what was really sold.
    """
    built = build(block, rows, as_sold=saids is None)
    if saids is None:
        return Described(built.names, built.values, built.unit)
    mean, told = _heard(rows, saids, first)
    told["simple"] = np.log(mean / built.unit + SOFT)
    extra = np.stack(list(told.values()), axis=1).astype(np.float32)
    values = np.concatenate([built.values, extra], axis=1)
    return Described((*built.names, *told), values, built.unit)


def _heard(rows: Rows, saids: Mapping[int, Said], first: int) -> tuple[Floats, dict[str, Floats]]:
    """The simple forecasts of ``rows``, and the log multipliers around them."""
    mean = np.zeros(rows.series.size)
    shifts = {"before": -1, "at": 0, "after": 1}
    found = {f"multiplier {name}": np.zeros(mean.size) for name in (*shifts, "now")}
    for origin in np.unique(rows.origin):
        said = saids[int(origin) + first]
        at = rows.origin == origin
        series, step = rows.series[at], rows.step[at]
        mean[at] = said.mean[series, step - 1]
        logs = said.log_multiplier[:, said.origin - said.first - 1 :]
        for name, shift in shifts.items():
            there = np.minimum(step + shift, said.mean.shape[1])
            found[f"multiplier {name}"][at] = logs[series, there]
        found["multiplier now"][at] = logs[series, 0]
    return mean, found


def gather(
    bench: Bench, asked: Asked, saids: Mapping[int, Said] | None, most: int, seed: int
) -> Past | None:
    """About ``most`` rows of what is ``asked``, by chance; None if there is none."""
    at = asked.origins
    if not at:
        return None
    origins = np.array(at, dtype=np.int64) - bench.first
    teaching = teaches(bench.panel, origins, asked.steps)
    if saids is not None:
        said = np.stack([np.isfinite(saids[origin].mean[:, 0]) for origin in at], axis=1)
        teaching &= said[:, :, np.newaxis]
    share = most / max(int(teaching.sum()), 1)
    if share < 1:
        random = np.random.default_rng(seed)
        teaching &= random.random(teaching.shape, dtype=np.float32) < share
    scales = rms_steps(bench.panel.units)
    parts = []
    for block in bench.blocks():
        series, index, step = np.nonzero(teaching[block.rows])
        if series.size:
            rows = Rows(series + block.rows.start, origins[index], step + 1)
            described = describe(block, rows, saids, bench.first)
            units = _units(block, rows) / described.unit
            weight = described.unit / np.maximum(scales[rows.series], described.unit / MOST_WEIGHT)
            parts.append(Past(described, np.minimum(units, MOST_UNITS), weight))
    return _joined(parts) if parts else None


def teaches(panel: Panel, origins: Integers, ahead: int) -> Booleans:
    """(series, origins, ahead). Whether the outcome is known, of a series that had a short life."""
    column = origins[:, np.newaxis] + np.arange(ahead)
    inside = column < panel.periods
    known = np.isfinite(panel.units[:, np.minimum(column, panel.periods - 1)]) & inside
    if panel.exposure is not None:
        known &= ~(panel.exposure[:, np.minimum(column, panel.periods - 1)] <= 0)
    return known & begun(panel, origins)[:, :, np.newaxis]


def begun(panel: Panel, origins: Integers) -> Booleans:
    """(series, origins). Whether a series had sold, and lived for a short window, by then."""
    sold = panel.units > 0
    first = np.where(sold.any(axis=1), sold.argmax(axis=1), panel.periods)
    return (origins - first[:, np.newaxis]) >= WINDOWS[panel.period][SHORT]


def _units(block: Block, rows: Rows) -> Floats:
    at = rows.series - block.rows.start, rows.column
    units: Floats = block.panel.units[at]
    if block.panel.exposure is not None:
        shelf = np.nan_to_num(block.panel.exposure[at], nan=1.0)
        units = units / np.maximum(shelf, LEAST_SHARE)
    return units


def _joined(parts: list[Past]) -> Past:
    if len(parts) == 1:
        return parts[0]
    first = parts[0].rows
    rows = Described(
        first.names,
        np.concatenate([part.rows.values for part in parts]),
        np.concatenate([part.rows.unit for part in parts]),
    )
    units = np.concatenate([part.units for part in parts])
    return Past(rows, units, np.concatenate([part.weight for part in parts]))
