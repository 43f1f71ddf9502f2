"""Totals on the wire. A field that breaks its rule raises InvalidArgument."""

from datetime import timedelta

from hemline.forecast.v1 import forecast_service_pb2 as pb

from services.chassis.paging import Limits, Page, page_from
from services.forecast.domain.forecasts import Run
from services.forecast.domain.totals import LEVELS, Aggregate, Total
from services.forecast.fields import refusal
from services.forecast.wire.convert.forecasts import run_name

AGGREGATES = Limits(default=50, most=200)


def periods_from(request: pb.GetDemandTotalRequest, run: Run) -> int:
    """The periods of ``run`` that the days reach into."""
    if not 1 <= request.days <= run.request.horizon_days:
        raise refusal("days", f"must be 1 to {run.request.horizon_days}, the days forecast.")
    return -(-request.days // run.period_days)


def level_page_from(request: pb.ListAggregatesRequest) -> Page:
    """The sort key is the number of the run, the units of the group and its name."""
    if request.level not in LEVELS:
        raise refusal("level", f"must be one of {', '.join(LEVELS)}.")
    return page_from(request, AGGREGATES, "aggregates", request.level, key=(int, float, str))


def message_of_total(run: Run, name: str, total: Total) -> pb.DemandTotal:
    return pb.DemandTotal(
        name=name,
        run=run_name(run.id),
        start_date=total.first_date.isoformat(),
        end_date=total.last_date.isoformat(),
        mean_units=total.mean,
        p10_units=total.p10,
        p50_units=total.p50,
        p90_units=total.p90,
        system_mean_units=total.system_mean,
        overrides=[f"overrides/{override_id}" for override_id in total.overrides],
    )


def message_of_aggregate(run: Run, level: str, found: Aggregate) -> pb.Aggregate:
    p10, p50, p90 = found.horizon_spread
    return pb.Aggregate(
        level=level,
        group=found.name,
        horizon_mean_units=found.horizon_mean,
        horizon_p10_units=p10,
        horizon_p50_units=p50,
        horizon_p90_units=p90,
        days=[
            pb.DailyDemand(
                date=(run.cutoff_date + timedelta(days=ahead * run.period_days)).isoformat(),
                mean_units=mean,
                p10_units=low,
                p50_units=middle,
                p90_units=high,
                system_mean_units=mean,
            )
            for ahead, (mean, low, middle, high) in enumerate(
                zip(found.mean, *found.spread, strict=True), start=1
            )
        ],
    )
