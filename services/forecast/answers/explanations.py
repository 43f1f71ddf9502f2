"""Takes a stored forecast apart, and tries other plans on it. Arrays alone: no database."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

import numpy as np

from services.forecast.answers.limits import cut_off
from services.forecast.answers.what_if import what_if
from services.forecast.domain.explanations import Explained, Part, PlanChange
from services.forecast.domain.forecasts import Run, SeriesForecast
from services.forecast.domain.overrides import Served, moved
from services.forecast.engine.arrays import Floats
from services.forecast.engine.promo import PromoState

PART_OF = MappingProxyType(
    {
        "level": Part.LEVEL,
        "size_share": Part.SIZE_SHARE,
        "season": Part.SEASON,
        "trend": Part.TREND,
        "promotion": Part.PROMOTION,
        "siblings": Part.PROMOTION,  # Neighbours' promotions.
        "price": Part.PRICE,
        "event": Part.EVENT,
        "availability": Part.AVAILABILITY,
    }
)
"""Parts of the response model, its level split in two."""
PRICE, REGULAR, PROMOTION, DISCOUNT = "price", "regular_price", "promotion_", "discount_"


def explain(
    state: PromoState, served: Served, choice: Sequence[PromoState] = ()
) -> list[Explained]:
    """Splits the mean of each period. What the response leaves is the other models' correction.

    Args:
        state: of the one series.
        served: its forecast.
        choice: states of all sizes of its choice in the store, its own among them; empty if there
            is nothing to compare it with.
    """
    found = _components(state)
    if choice:
        average = np.mean([_components(size)["level"] for size in choice], axis=0)
        found |= {"level": average, "size_share": found["level"] - average}
    explained = []
    pairs = zip(served.forecast.mean, served.system_mean, strict=True)
    for step, (mean, system) in enumerate(pairs):
        parts: dict[Part, float] = {}
        for name, units in found.items():
            part = PART_OF[name]
            parts[part] = parts.get(part, 0.0) + float(units[step])
        parts[Part.CORRECTION] = system - sum(parts.values())
        parts[Part.OVERRIDE] = mean - system
        explained.append(Explained(mean, {part: units for part, units in parts.items() if units}))
    return explained


def simulate(
    state: PromoState, run: Run, forecast: SeriesForecast, changes: Sequence[PlanChange]
) -> tuple[SeriesForecast, list[str]]:
    """The forecast under other plans, its range moved with it; and what had not all its effect."""
    known, notes = _changed(state, run, changes)
    notes += cut_off(state, known)
    mean: list[float] = what_if(state, np.array(forecast.mean), known).tolist()
    simulated = forecast._replace(
        mean=mean,
        horizon_mean_units=sum(mean),
        p10=moved(forecast.p10, forecast, mean),
        p50=moved(forecast.p50, forecast, mean),
        p90=moved(forecast.p90, forecast, mean),
    )
    return simulated, notes


def _components(state: PromoState) -> dict[str, Floats]:
    """By name, each (ahead,)."""
    return {name: np.nan_to_num(units) for name, units in state.components(0).items()}


def _changed(
    state: PromoState, run: Run, changes: Sequence[PlanChange]
) -> tuple[dict[str, Floats], list[str]]:
    """Known columns as the changes leave them, by name."""
    known = {name: np.array(state.planned[0, index]) for index, name in enumerate(state.columns)}
    regular = _regular(known, state.ahead)
    notes: list[str] = []
    for change in changes:
        share = _shares(run, change, state.ahead)
        if change.price_micros is not None:
            _set_price(known, share, np.full(state.ahead, change.price_micros / 1e6), notes)
            continue
        before = dict(known)
        for name, values in before.items():
            if name.startswith((PROMOTION, DISCOUNT)):
                known[name] = values * (1 - share)
        if change.promotion_kind is not None:
            _promote(known, share, change, notes)
        if PRICE in known:
            full = _priced(known, regular)
            _set_price(known, share, full * (1 - change.discount_share), notes)
        if not change.discount_share and _is_idle(state, before, known, change.promotion_kind):
            notes.append(
                "The past shows no effect of promotions of the kind "
                f"{change.promotion_kind} but by their discount: say a discount."
            )
    return known, list(dict.fromkeys(notes))


def _is_idle(
    state: PromoState, before: Mapping[str, Floats], after: Mapping[str, Floats], kind: str | None
) -> bool:
    """Whether promotions of ``kind`` are other than before, and units are not."""
    column = f"{PROMOTION}{kind}"
    if column not in after or np.array_equal(before[column], after[column], equal_nan=True):
        return False
    return np.allclose(state.ratio(0, before), state.ratio(0, after), equal_nan=True)


def _priced(known: dict[str, Floats], regular: Floats) -> Floats:
    """(ahead,). Regular prices, 1 where none is known: of a discount the ratio counts alone."""
    full = np.where(np.isnan(regular), 1.0, regular)
    for name in (PRICE, REGULAR):
        if name in known:
            known[name] = np.where(np.isnan(known[name]), full, known[name])
    return full


def _regular(planned: Mapping[str, Floats], ahead: int) -> Floats:
    """(ahead,). The price without a promotion, NaN if there is none.

    The model need not follow regular prices: where they hardly changed, the planned price tells
    them, discounts taken off it again.
    """
    if REGULAR in planned or PRICE not in planned:
        return planned.get(REGULAR, np.full(ahead, np.nan))
    off = [values for name, values in planned.items() if name.startswith(DISCOUNT)]
    most = np.max(off, axis=0, initial=0.0)
    # What is given away tells no price.
    full = np.divide(planned[PRICE], 1 - most, out=np.full(ahead, np.nan), where=most < 1)
    return np.full(ahead, np.fmax.reduce(full))


def _promote(known: dict[str, Floats], share: Floats, change: PlanChange, notes: list[str]) -> None:
    kind = change.promotion_kind
    column = f"{PROMOTION}{kind}"
    if column not in known:
        rest = "only the price counts" if PRICE in known else "it changes nothing"
        notes.append(f"The past shows no effect of promotions of the kind {kind}: {rest}.")
    for name, value in ((column, 1.0), (f"{DISCOUNT}{kind}", change.discount_share)):
        if name in known:
            known[name] = np.maximum(known[name], share * value)


def _set_price(known: dict[str, Floats], share: Floats, price: Floats, notes: list[str]) -> None:
    if PRICE not in known:
        notes.append("The past shows no effect of the price.")
        return
    before = known[PRICE]
    # What never sold at a price has none before the change.
    rest = np.where(np.isnan(before), price, before)
    changed = share * price + (1 - share) * rest
    known[PRICE] = np.where((share > 0) & ~np.isnan(price), changed, before)


def _shares(run: Run, change: PlanChange, ahead: int) -> Floats:
    """(ahead,). How much of each period the change covers."""
    shares = np.zeros(ahead)
    for step in range(ahead):
        first = run.cutoff_date + timedelta(days=step * run.period_days + 1)
        last = run.cutoff_date + timedelta(days=(step + 1) * run.period_days)
        days = (min(last, change.end_date) - max(first, change.start_date)).days + 1
        shares[step] = max(days, 0) / run.period_days
    return shares
