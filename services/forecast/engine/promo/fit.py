"""The model at one origin, and how it is fitted at many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine import calendar_events
from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import columns, terms
from services.forecast.engine.promo import design as designs
from services.forecast.engine.promo import history as histories
from services.forecast.engine.promo.columns import Column
from services.forecast.engine.promo.design import Design
from services.forecast.engine.promo.history import History
from services.forecast.engine.promo.levels import carried, growth, levels
from services.forecast.engine.promo.made import Made
from services.forecast.engine.promo.response import (
    Moments,
    Pool,
    Pooled,
    Shrinkage,
    centred,
    own_coefficients,
    shared_coefficients,
    totals,
)
from services.forecast.engine.promo.seasons import Calendar
from services.forecast.engine.promo.settings import Settings
from services.forecast.engine.promo.slow import Counted

STRENGTH_ROWS = 1_500  # Series from which the strength of promotions is first told.
STRENGTH_FADING = 1.0
SCREEN_ROWS = 300
MOST_TERMS = 48  # Made of known columns: the cost grows with their square and more.
KEPT_CELLS = 30_000_000  # Of moments: 120 MB. More is computed twice.
TREND_DISCOUNTS = {Period.DAY: (0.93, 0.99), Period.WEEK: (0.8, 0.95), Period.MONTH: (0.6, 0.9)}


@dataclass(frozen=True, slots=True)
class Base:
    """What all origins share. Columns are those of the original panel from ``first`` on."""

    panel: Panel
    history: History
    design: Design
    closed: Booleans | None  # (series, columns). Where nothing can be sold, as the plan says.
    first: int
    ahead: int


@dataclass(frozen=True, slots=True)
class PromoFit:
    """The model at one origin. Columns are those of the panel from ``first`` on."""

    first: int  # Column of the panel at which the arrays begin: 0 unless its past is very long.
    origin: int  # Columns of the panel that were seen.
    settings: Settings
    design: Design
    coefficients: NDArray[np.float32]  # (series, regressors)
    log_multiplier: NDArray[np.float32]  # (series, first .. origin + ahead)
    level: Floats  # (series,). Units of an ordinary period at the origin.
    drift: Floats  # (series, ahead). Logarithm by which the trend moves the level.
    plan: NDArray[np.float32]  # (series, ahead). What own terms do, against what they did of late.
    counted: Counted
    shut: Booleans  # (ahead,). Days that are shut for all.
    open: Booleans  # (series, ahead). False where nothing will be sold: shut, or planned so.

    @property
    def mean(self) -> Floats:
        """(series, ahead). Expected units."""
        past = self.origin - self.first
        logs = self.log_multiplier[:, past:] + self.drift
        return np.asarray(self.level[:, np.newaxis] * np.exp(logs) * self.open)

    def features(self, rows: Integers) -> NDArray[np.float32]:
        """(rows, regressors, first .. origin + ahead). What the response is a function of."""
        return self.design.of(rows)[..., : self.log_multiplier.shape[1]]

    @property
    def feature_names(self) -> list[str]:
        return [label.name for label in self.design.labels]


def base(panel: Panel, origin: int, ahead: int, first: int, calendar: Calendar) -> Base:
    """Design and history of ``panel``. The strength of promotions is learned before ``origin``."""
    usable = columns.read(panel, origin, ahead)
    by = columns.closers(panel, usable, origin)
    usable = [column for column in usable if column.name not in {closer.name for closer in by}]
    closed = columns.closed(panel.known, by)
    history = histories.read(panel, closed)
    design = designs.build(panel, usable, by, origin, calendar)
    weights = _screened(design, history, origin)
    if weights.size > MOST_TERMS:
        design = designs.build(panel, _strongest(design, weights), by, origin, calendar)
        weights = _screened(design, history, origin)
    if weights.size:
        design = designs.with_echoes(design, panel, weights, origin)
    return Base(panel, history, design, closed, first, ahead)


def _screened(design: Design, history: History, origin: int) -> Floats:
    """(own terms,). The panel's coefficients before ``origin``."""
    own = len(design.recipe.labels())
    if not own:
        return np.zeros(0)
    rows = np.arange(0, design.series, max(1, design.series // STRENGTH_ROWS))
    pool = Pool(design.width, None)
    for block in design.blocks(rows):
        pool.add(block, moments_of(design, history, block, [origin], STRENGTH_FADING)[1][0])
    return shared_coefficients(pool.pooled(), shrinkage(design, Settings(1.0)))[0][:own]


def _strongest(design: Design, weights: Floats) -> list[Column]:
    """The columns that do most in an average period, as many as may act together."""
    x = design.of(np.arange(0, design.series, max(1, design.series // SCREEN_ROWS)))
    effects = np.abs(weights) * x[:, : weights.size].std(axis=2).mean(axis=0)
    labels = design.recipe.labels()
    by_source = {
        column.name: (
            sum(e for e, label in zip(effects, labels, strict=True) if label.source == column.name),
            sum(label.source == column.name for label in labels),
        )
        for column in design.recipe.columns
    }
    kept: set[str] = set()
    room = MOST_TERMS - terms.MOST_PRODUCTS
    for name in sorted(by_source, key=lambda name: (-by_source[name][0], name)):
        if by_source[name][1] <= room:
            kept.add(name)
            room -= by_source[name][1]
    return [column for column in design.recipe.columns if column.name in kept]


def moments_of(
    design: Design, history: History, rows: Integers, origins: Sequence[int], yearly: float
) -> tuple[NDArray[np.float32], list[Moments]]:
    """Regressors of ``rows``, and their moments with the response at each of ``origins``."""
    stop = max(origins)
    exposure = history.exposure[rows, :stop]
    x = design.of(rows)
    weight = exposure * history.weights(yearly)[:stop]
    sums = totals(x[..., :stop], history.response[rows, :stop], weight, origins)
    seen = np.cumsum(exposure > 0, axis=1).astype(np.float64)
    return x, [
        centred(total, seen[:, origin - 1]) for total, origin in zip(sums, origins, strict=True)
    ]


def fitted(
    base: Base, origins: Sequence[int], settings: Settings, counts: Sequence[Counted]
) -> list[PromoFit]:
    """The model at each of ``origins`` (columns of the base's panel), with the same settings."""
    design, panel = base.design, base.panel
    codes = panel.static[settings.group] if settings.group else None
    how = shrinkage(design, settings)
    pooled, kept = _pooled(base, origins, settings, codes)
    shared = [shared_coefficients(each, how) for each in pooled]
    made = [Made.blank(design, origin, base.ahead) for origin in origins]
    for number, rows in enumerate(design.blocks()):
        if kept:
            x, moments = design.of(rows), kept[number]
        else:
            x, moments = moments_of(design, base.history, rows, origins, settings.yearly)
        for index, one in enumerate(made):
            panel_beta, group_betas = shared[index]
            prior = np.broadcast_to(panel_beta, (rows.size, design.width))
            if codes is not None:
                prior = group_betas[codes[rows]]
            beta = own_coefficients(moments[index], prior, pooled[index], how) * settings.gain
            one.fill(rows, x, counts[index].blended(rows, beta))
    return [_leveled(base, settings, one, each) for one, each in zip(made, counts, strict=True)]


def shrinkage(design: Design, settings: Settings) -> Shrinkage:
    alive = np.array([label.source not in settings.silent for label in design.labels], bool)
    common = np.arange(design.width) >= design.width - design.common.shape[0]
    own = np.where(common, settings.season_ridge, settings.own_ridge)
    return Shrinkage(alive, own, settings.group_ridge)


def _pooled(
    base: Base, origins: Sequence[int], settings: Settings, codes: Integers | None
) -> tuple[list[Pooled], list[list[Moments]]]:
    """Mean moments at each of ``origins``; and, if they are few enough to keep, of each block."""
    pools = [Pool(base.design.width, codes) for _ in origins]
    keep = len(origins) * base.panel.series * base.design.width**2 < KEPT_CELLS
    kept = []
    for rows in base.design.blocks():
        _, moments = moments_of(base.design, base.history, rows, origins, settings.yearly)
        for pool, each in zip(pools, moments, strict=True):
            pool.add(rows, each)
        if keep:
            kept.append(moments)
    return [pool.pooled() for pool in pools], kept


def _leveled(base: Base, settings: Settings, made: Made, counts: Counted) -> PromoFit:
    origin, discounts = made.origin, TREND_DISCOUNTS[base.panel.period]
    past = base.history.until(origin, made.logs.astype(np.float64))
    found = levels(past, (settings.discount, *discounts))
    drift = carried(settings.trend, *growth(found[1:], discounts), base.ahead)
    stop = origin + base.ahead
    shut = np.zeros(base.ahead, bool)
    if base.closed is None:
        dates = base.panel.dates[:stop]
        shut = calendar_events.will_be_shut(dates, base.history.shut[:origin])[origin:]
        opened = np.broadcast_to(~shut, drift.shape)
    else:  # The plan knows better than the past.
        opened = ~base.closed[:, origin:stop]
    return PromoFit(
        base.first,
        base.first + origin,
        settings,
        base.design,
        made.betas,
        made.logs,
        found[0],
        drift,
        made.plan,
        counts,
        shut,
        opened,
    )
