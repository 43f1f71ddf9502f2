"""Promotions that are tried in a what-if, against what they would truly sell."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np

from benchmarks.season.world import World, world
from services.forecast.answers.explanations import simulate
from services.forecast.domain.explanations import PlanChange
from services.forecast.domain.forecasts import Run, RunRequest, SeriesForecast
from services.forecast.engine.arrays import Floats
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Settings, forecast
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import WEEK_DAYS, Period
from services.forecast.engine.promo import PromoState, state_of

AHEAD = {Period.DAY: 28, Period.WEEK: 8}
DEPTHS = (0.2, 0.3, 0.4)
RATES = (0.1, 0.5, 2.0)  # True units a period without promotions, between classes.
KIND = "promotion"
NOBODY = UUID(int=0)

Rows = Floats  # (tried, 4): class of selling rate, depth, multiplier answered, true multiplier.


def measure(seed: int, period: Period) -> Rows:
    """Series on sale through the horizon, of styles that were promoted at some time."""
    made = world(seed)
    panel, usual = _daily(made) if period is Period.DAY else _weekly(made)
    ahead = AHEAD[period]
    past = panel.until(panel.periods - ahead, ahead)
    found = forecast(past, Settings(effort=Effort.LIGHT))
    state = state_of(found.response, past)
    elasticity = _elasticity(made)
    live = made.on_sale[:, -ahead * _days(period) :].all(axis=1) & np.isfinite(elasticity)
    live &= found.mean.sum(axis=1) > 0
    rows = []
    for row in np.flatnonzero(live).tolist():
        said = _answers(state.of(np.array([row])), period, past, found.mean[row])
        kind = np.searchsorted(RATES, usual[row, -ahead:].mean(), side="right")
        rows += [
            (kind, depth, answer, (1 - depth) ** -elasticity[row])
            for depth, answer in zip(DEPTHS, said, strict=True)
        ]
    return np.array(rows)


def _days(period: Period) -> int:
    return WEEK_DAYS if period is Period.WEEK else 1


def _answers(state: PromoState, period: Period, past: Panel, mean: Floats) -> list[float]:
    """Units of the whole horizon with a promotion of each depth, by those with none."""
    cutoff: date = past.dates[past.periods].astype("datetime64[D]").item() - timedelta(days=1)
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


def _daily(made: World) -> tuple[Panel, Floats]:
    """What the service makes of the same sales and plans; true units without promotions."""
    plan = made.season.plan
    style = plan.style_of_series
    regular = np.array([each.price_micros / 1e6 for each in plan.catalog.styles])[style]
    off = plan.discount.T[style]
    known = {
        f"promotion_{KIND}": (off > 0).astype(np.float64),
        f"discount_{KIND}": off,
        "price": regular[:, np.newaxis] * (1 - off),
        "regular_price": np.repeat(regular[:, np.newaxis], off.shape[1], axis=1),
    }
    seen = made.uncensored()
    panel = Panel(seen.period, seen.dates, seen.units, known, seen.static, seen.exposure)
    return panel, made.expected / plan.uplift.T[style]


def _weekly(made: World) -> tuple[Panel, Floats]:
    daily, usual = _daily(made)
    exposed = np.isfinite(daily.units) * (1.0 if daily.exposure is None else daily.exposure)
    sold = np.isfinite(_weeks(daily.units)).any(axis=2)
    units = np.where(sold, np.nan_to_num(_weeks(daily.units)).sum(axis=2), np.nan)
    panel = Panel(
        Period.WEEK,
        daily.dates[daily.dates.size % WEEK_DAYS :: WEEK_DAYS],
        units,
        {name: _weeks(values).mean(axis=2) for name, values in daily.known.items()},
        daily.static,
        np.where(sold, _weeks(exposed).mean(axis=2), 1.0),
    )
    return panel, _weeks(usual).sum(axis=2)


def _weeks(values: Floats) -> Floats:
    """(series, weeks, 7). Whole weeks, to the last day."""
    count = values.shape[1] // WEEK_DAYS
    return values[:, values.shape[1] - count * WEEK_DAYS :].reshape(len(values), count, WEEK_DAYS)


def figures(rows: Rows, least: int = 20) -> dict[str, dict[str, float]]:
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
