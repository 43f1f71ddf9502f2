"""Panels cut at a time, with what happened then: real ones, and seasons of the simulator."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.forecast.panels import LISTED, Spec, data, prepare
from cli.panels import run
from cli.panels.cut import cut
from cli.panels.rows import Columns, read
from cli.panels.source import Source
from season.presets import season_of
from season.simulate import Season, simulate
from services.forecast.engine.arrays import Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

SEASON = "season"
SEASON_WEEKS, SEASON_AHEAD = 104, 4
SEASON_END = date(2026, 6, 28)
FIRST_CUTOFF, CUTOFFS = 60, 10  # Weeks: seeds are cut at ten times of the year in turn.
RETAILERS = ("atelier-nord", "harbor-and-pine")
DAYS = 7


@dataclass(frozen=True)
class Case:
    """A panel at one cutoff, and what happened: (series, ahead), NaN where nothing is judged."""

    panel: Panel
    actual: Floats


def panels() -> dict[str, Spec]:
    """The real panels of the folder DATA by name; none if there is no such folder."""
    return {spec.name: spec for spec in LISTED if (data() / spec.path).exists()}


def of_panel(spec: Spec) -> Iterator[Case]:
    """A real panel at all its cutoffs, those of validation and of test."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(spec, Path(folder), None)
        rows = read(Source(Path(prepared.path)), Columns(spec.known, spec.static, spec.weight))
    for cutoff in run.cutoffs([*spec.validation, *spec.cutoffs], rows):
        made = cut(rows, Period(spec.period), cutoff.last, spec.horizon)
        actual = np.full((made.panel.series, spec.horizon), np.nan)
        actual[made.row_series, made.row_steps] = rows.units[made.rows]
        yield Case(made.panel, actual)


def of_season(seed: int) -> Case:
    """Weekly demand by SKU and store of one simulated season, cut at the seed's time of the year.

    Shelves are never empty here, so that sales are demand. A week counts where a style was on sale
    on every day of it; what is on sale, and at what discount, is known in advance.
    """
    name = RETAILERS[seed % len(RETAILERS)]
    config = season_of(name, SEASON_END, seed, SEASON_WEEKS)
    season = simulate(replace(config, stock_out_share=0.0))
    weekly = season.truth.sold.T.reshape(len(season.series), SEASON_WEEKS, DAYS).sum(axis=2)
    on_sale = np.asarray(season.truth.on_sale.T.reshape((*weekly.shape, DAYS)).all(axis=2))
    units = np.where(on_sale, weekly.astype(np.float64), np.nan)
    origin = FIRST_CUTOFF + SEASON_AHEAD * (seed % CUTOFFS)
    begun = np.flatnonzero(on_sale[:, :origin].any(axis=1))
    first = np.datetime64(season.days[0])
    whole = Panel(
        Period.WEEK,
        Period.WEEK.dates(first, SEASON_WEEKS),
        units,
        {"discount": _discounts(season)},
        _attributes(season),
    ).of(begun)
    panel = whole.until(origin, SEASON_AHEAD)
    return Case(panel, whole.units[:, origin : origin + SEASON_AHEAD])


def _styles(season: Season) -> Integers:
    skus = [season.catalog.skus[index].style_index for index in season.series.sku_index]
    return np.array(skus, dtype=np.int64)


def _attributes(season: Season) -> dict[str, Integers]:
    skus = [season.catalog.skus[index] for index in season.series.sku_index]
    named = {
        "category": [season.catalog.styles[sku.style_index].category.name for sku in skus],
        "choice": [sku.choice_index for sku in skus],
        "size": [sku.size for sku in skus],
        "store": list(season.series.store_index),
    }
    return {name: np.unique(each, return_inverse=True)[1] for name, each in named.items()}


def _discounts(season: Season) -> Floats:
    """Each series' mean discount in each week."""
    daily = np.zeros((len(season.catalog.styles), len(season.days)))
    names = {style.name: index for index, style in enumerate(season.catalog.styles)}
    days = np.array(season.days, dtype="datetime64[D]")
    for promotion in season.promotions:
        lasts = (days >= promotion.start_date) & (days <= promotion.end_date)
        row = daily[names[promotion.style]]
        row[lasts] = np.maximum(row[lasts], promotion.discount)
    weekly: Floats = daily.reshape(len(daily), SEASON_WEEKS, DAYS).mean(axis=2)
    return weekly[_styles(season)]
