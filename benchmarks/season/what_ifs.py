"""Promotions that are tried in a what-if, against what they would truly sell."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np

from benchmarks.season.world import World, world
from services.forecast.answers.explanations import simulate
from services.forecast.domain.explanations import PlanChange
from services.forecast.domain.forecasts import Run, RunRequest, SeriesForecast
from services.forecast.domain.plans import Promotion
from services.forecast.engine.arrays import Floats
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Settings, forecast
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import WEEK_DAYS, Period
from services.forecast.engine.promo import PromoState, state_of
from services.forecast.fields import ALL_STORES
from services.forecast.panels.demand import settled
from services.forecast.panels.grid import Grid
from services.forecast.panels.known import Rows, prices, promoted

AHEAD = {Period.DAY: 28, Period.WEEK: 8}
DEPTHS = (0.2, 0.3, 0.4)
RATES = (0.1, 0.5, 2.0)  # True units a period without promotions, between classes.
KIND = "promotion"
NOBODY = UUID(int=0)

Tried = Floats  # (tried, 4): class of selling rate, depth, multiplier answered, true multiplier.


def measure(seed: int, period: Period) -> Tried:
    """Series on sale through the horizon, of styles that were promoted at some time."""
    made = world(seed)
    past = _panel(made, period)
    found = forecast(past, Settings(effort=Effort.LIGHT))
    state = state_of(found.response)
    elasticity = _elasticity(made)
    usual = made.expected / made.season.plan.uplift.T[made.season.plan.style_of_series]
    horizon = slice(-AHEAD[period] * _days(period), None)
    rates = usual[:, horizon].mean(axis=1) * _days(period)
    live = made.on_sale[:, horizon].all(axis=1) & np.isfinite(elasticity)
    live &= found.mean.sum(axis=1) > 0
    rows = []
    for row in np.flatnonzero(live).tolist():
        said = _answers(state.of(np.array([row])), period, past, found.mean[row])
        kind = np.searchsorted(RATES, rates[row], side="right")
        rows += [
            (kind, depth, answer, (1 - depth) ** -elasticity[row])
            for depth, answer in zip(DEPTHS, said, strict=True)
        ]
    return np.array(rows)


def _days(period: Period) -> int:
    return WEEK_DAYS if period is Period.WEEK else 1


def _answers(state: PromoState, period: Period, past: Panel, mean: Floats) -> list[float]:
    """Units of the whole horizon with a promotion of each depth, by those with none."""
    cutoff: date = past.dates[past.periods - 1].item()
    last = cutoff + timedelta(days=mean.size * _days(period))
    now = datetime(cutoff.year, cutoff.month, cutoff.day, tzinfo=UTC)
    request = RunRequest(NOBODY, mean.size * _days(period))
    run = Run(NOBODY, 1, request, cutoff, past.series, "", 0.8, 0.0, now, period.value)
    units = mean.tolist()
    planned = SeriesForecast("", "", "", float(mean.sum()), units, units, units, units)
    first = cutoff + timedelta(days=1)
    none = PlanChange(first, last)
    tried = [PlanChange(first, last, promotion_kind=KIND, discount_share=d) for d in DEPTHS]
    found = [simulate(state, run, planned, [one])[0].horizon_mean_units for one in (none, *tried)]
    return [units / found[0] for units in found[1:]]


def _elasticity(made: World) -> Floats:
    """(series,). NaN where no promotion shows it."""
    index = {style.name: number for number, style in enumerate(made.season.catalog.styles)}
    found = np.full(len(index), np.nan)
    for each in made.season.promotions:
        found[index[each.style]] = -np.log(each.uplift) / np.log(1 - each.discount)
    return np.asarray(found[made.season.plan.style_of_series])


def _panel(made: World, period: Period) -> Panel:
    """What the service makes of sales, prices paid, plans and empty shelves until the horizon."""
    step, ahead = _days(period), AHEAD[period]
    periods = made.days // step - ahead
    first = made.days - (periods + ahead) * step
    past = slice(first, first + periods * step)
    grid = Grid(period, made.season.days[first], periods, ahead)
    units, exposure = settled(made.sold[:, past], made.empty[:, past], grid)
    rows = Rows(made.panel.static, {"store": (), "style": _styles(made)})
    plan = promoted(_promotions(made), rows, grid)
    sold, paid = (_by_period(values, past, step) for values in _paid(made))
    known = prices(sold, paid, made.season.series.sku_index, plan)
    columns = {**known, **plan.columns}
    return Panel(period, grid.dates, units, columns, made.panel.static, exposure)


def _styles(made: World) -> tuple[str, ...]:
    """What the codes of styles mean."""
    found = {made.season.catalog.skus[index].style for index in made.season.series.sku_index}
    return tuple(sorted(found))


def _promotions(made: World) -> list[Promotion]:
    known = datetime(2000, 1, 1, tzinfo=UTC)
    return [
        Promotion(
            each.style, ALL_STORES, "style", each.style, each.start_date, each.end_date,
            KIND, each.discount, None, known,
        )
        for each in made.season.promotions
    ]  # fmt: skip


def _paid(made: World) -> tuple[Floats, Floats]:
    """(series, days) each. Units sold, returns not taken off, and what was paid for them."""
    lines = made.season.sales
    sold = np.maximum(lines.units, 0).astype(np.float64)
    found = np.zeros((2, *made.expected.shape))
    np.add.at(found[0], (lines.series, lines.day), sold)
    np.add.at(found[1], (lines.series, lines.day), sold * lines.unit_price_micros / 1e6)
    return found[0], found[1]


def _by_period(values: Floats, days: slice, step: int) -> Floats:
    return np.asarray(values[:, days].reshape(len(values), -1, step).sum(axis=2))


def figures(rows: Tried, least: int = 20) -> dict[str, dict[str, float]]:
    """By class of selling rate and depth; classes of fewer than ``least`` are left out."""
    found = {}
    for kind in range(len(RATES) + 1):
        for depth in DEPTHS:
            said, true = rows[(rows[:, 0] == kind) & (rows[:, 1] == depth), 2:].T
            if said.size >= least:
                found[f"{_named(kind)}, {depth:.0%} off"] = {
                    "series": said.size,
                    "answered": float(np.median(said)),
                    "true": float(np.median(true)),
                    "bias": float(np.median(said / true)) - 1,
                    "error": float(np.median(np.abs(said / true - 1))),
                    "wrong_way": float((said <= 1).mean()),
                }
    return found


def _named(kind: int) -> str:
    if kind == 0:
        return f"below {RATES[0]:g}"
    if kind == len(RATES):
        return f"above {RATES[-1]:g}"
    return f"{RATES[kind - 1]:g} to {RATES[kind]:g}"
