"""Explanation messages to domain values and back. A field that breaks its rule: InvalidArgument."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from hemline.forecast.v1 import explanation_service_pb2 as pb

from services.chassis.fields import CONTROL, Fields
from services.forecast.domain.explanations import (
    MOST_CHANGES,
    MOST_DISCOUNT,
    MOST_PRICE_MICROS,
    Explained,
    Part,
    PlanChange,
    sentences,
    totals,
)
from services.forecast.domain.forecasts import Run
from services.forecast.domain.overrides import Served
from services.forecast.fields import day_from, refusal
from services.forecast.wire.convert.forecasts import run_name

MOST_KIND = 64


def changes_from(request: pb.SimulateForecastRequest) -> list[PlanChange]:
    if not 0 < len(request.changes) <= MOST_CHANGES:
        raise refusal("changes", f"must be 1 to {MOST_CHANGES}.")
    fields = Fields()
    found = [_change_from(one, at, fields) for at, one in enumerate(request.changes)]
    fields.check()
    return found


def check_days(changes: Sequence[PlanChange], run: Run) -> None:
    """Raises InvalidArgument if a change has no day that ``run`` forecasts."""
    first = run.cutoff_date + timedelta(days=1)
    last = run.cutoff_date + timedelta(days=run.request.horizon_days)
    for at, change in enumerate(changes):
        if change.end_date < first or change.start_date > last:
            rule = f"must reach into the days forecast, {first} to {last}."
            raise refusal(f"changes[{at}].start_date", rule)


def message_of_explanation(
    run: Run, served: Served, periods: Sequence[Explained], size: str
) -> pb.Explanation:
    forecast = served.forecast
    return pb.Explanation(
        forecast=f"stores/{forecast.store}/forecasts/{forecast.sku}",
        run=run_name(run.id),
        periods=[
            pb.ExplainedPeriod(
                date=(run.cutoff_date + timedelta(days=step * run.period_days)).isoformat(),
                mean_units=period.mean,
                components=_components(period.parts),
            )
            for step, period in enumerate(periods, start=1)
        ],
        total=_components(totals(periods)),
        sentences=sentences(periods, size),
        model=run.model,
    )


def _components(parts: Mapping[Part, float]) -> list[pb.Component]:
    return [
        pb.Component(part=pb.ForecastPart.ValueType(part), units=parts[part])
        for part in Part
        if part in parts
    ]


def _change_from(change: pb.PlanChange, at: int, fields: Fields) -> PlanChange:
    path = f"changes[{at}]"
    start = day_from(change.start_date, f"{path}.start_date", fields)
    end = day_from(change.end_date, f"{path}.end_date", fields)
    if end < start:
        fields.refuse(f"{path}.end_date", "must not lie before start_date.")
    wanted = change.WhichOneof("change")
    if wanted is None or (wanted == "no_promotion" and not change.no_promotion):
        rule = "must be set, or else promotion_kind or no_promotion."
        fields.refuse(f"{path}.unit_price_micros", rule)
    elif wanted == "unit_price_micros":
        if not 0 < change.unit_price_micros <= MOST_PRICE_MICROS:
            fields.refuse(f"{path}.unit_price_micros", f"must be 1 to {MOST_PRICE_MICROS}.")
        return PlanChange(start, end, price_micros=change.unit_price_micros)
    elif wanted == "promotion_kind":
        kind, discount = change.promotion_kind, change.discount_share
        if not 0 < len(kind) <= MOST_KIND or CONTROL.search(kind):
            rule = f"must be 1 to {MOST_KIND} printable characters."
            fields.refuse(f"{path}.promotion_kind", rule)
        if not 0 <= discount <= MOST_DISCOUNT:
            fields.refuse(f"{path}.discount_share", f"must be 0 to {MOST_DISCOUNT}.")
        return PlanChange(start, end, promotion_kind=kind, discount_share=discount)
    return PlanChange(start, end)
