"""Forecast messages to domain values and back. A field that breaks its rule: InvalidArgument."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from hemline.forecast.v1 import forecast_service_pb2 as pb

from services.chassis.fields import SKU
from services.chassis.paging import Limits, Page, page_from
from services.chassis.wire import to_timestamp
from services.forecast.domain.forecasts import (
    DEFAULT_HORIZON_DAYS,
    MOST_HORIZON_DAYS,
    Run,
    RunRequest,
    SeriesForecast,
    Trend,
)
from services.forecast.domain.overrides import Served
from services.forecast.fields import ALL_STORES, is_store, refusal, request_id_from

FORECASTS = Limits(default=50, most=200)
TRENDS = Limits(default=20, most=200)
BY_NAME = "name"
BY_UNITS = "horizon_mean_units desc"
NAME_PARTS = 4
STALE = "its run is no longer kept; begin again without a token."
FOREIGN = "not a token of this list; take next_page_token, other fields unchanged."


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list of forecasts asks for."""

    page: Page
    store: str | None  # None for all.
    by_units: bool

    @property
    def run_number(self) -> int | None:
        """The run that the first page came from; None on the first page."""
        return None if self.page.after is None else int(self.page.after[0])

    def token(self, run: Run, last: SeriesForecast | None) -> str:
        if last is None:
            return self.page.token(None)
        name = (last.store, last.sku)
        key = (float(last.horizon_mean_units), *name) if self.by_units else name
        return self.page.token((run.number, *key))


def run_request_from(request: pb.CreateForecastRunRequest) -> RunRequest:
    if not 0 <= request.horizon_days <= MOST_HORIZON_DAYS:
        rule = f"must be 1 to {MOST_HORIZON_DAYS}, or 0 for {DEFAULT_HORIZON_DAYS}."
        raise refusal("horizon_days", rule)
    horizon = request.horizon_days or DEFAULT_HORIZON_DAYS
    return RunRequest(request_id_from(request.request_id), horizon)


def series_from(name: str) -> tuple[str, str]:
    """Returns the store and the SKU that a name names."""
    parts = name.split("/")
    shaped = len(parts) == NAME_PARTS and parts[0] == "stores" and parts[2] == "forecasts"
    if not (shaped and is_store(parts[1]) and SKU.fullmatch(parts[3])):
        raise refusal("name", "must be stores/{store}/forecasts/{sku}.")
    return parts[1], parts[3]


def listing_from(request: pb.ListForecastsRequest) -> Listing:
    prefix, _, store = (request.parent or f"stores/{ALL_STORES}").partition("/")
    if prefix != "stores" or not (store == ALL_STORES or is_store(store)):
        raise refusal("parent", "must be stores/{store}, or stores/- for all of them.")
    order_by = request.order_by or BY_NAME
    if order_by not in (BY_NAME, BY_UNITS):
        raise refusal("order_by", f"must be `{BY_NAME}` or `{BY_UNITS}`.")
    by_units = order_by == BY_UNITS
    key = (int, float, str, str) if by_units else (int, str, str)
    page = page_from(request, FORECASTS, "forecasts", store, order_by, key=key)
    listing = Listing(page, None if store == ALL_STORES else store, by_units)
    if page.after is not None:
        last_store, last_sku = (str(part) for part in page.after[-2:])
        if not (is_store(last_store) and SKU.fullmatch(last_sku)):
            raise refusal("page_token", FOREIGN)
    return listing


def trends_page_from(request: pb.ListTrendingProductsRequest) -> Page:
    """The sort key is the number of the run, and the rank in it."""
    return page_from(request, TRENDS, "trends", key=(int, int))


def run_name(run_id: UUID) -> str:
    return f"forecastRuns/{run_id}"


def message_of_run(run: Run) -> pb.ForecastRun:
    return pb.ForecastRun(
        name=run_name(run.id),
        cutoff_date=run.cutoff_date.isoformat(),
        horizon_days=run.request.horizon_days,
        series=run.series,
        model=run.model,
        coverage=run.coverage,
        wape=run.wape,
        create_time=to_timestamp(run.create_time),
    )


def message_of_forecast(run: Run, served: Served) -> pb.Forecast:
    forecast = served.forecast
    days = zip(
        *(forecast.mean, forecast.p10, forecast.p50, forecast.p90, served.system_mean), strict=True
    )
    return pb.Forecast(
        name=f"stores/{forecast.store}/forecasts/{forecast.sku}",
        sku=forecast.sku,
        product=forecast.product,
        run=run_name(run.id),
        horizon_mean_units=forecast.horizon_mean_units,
        days=[
            pb.DailyDemand(
                date=(run.cutoff_date + timedelta(days=ahead * run.period_days)).isoformat(),
                mean_units=mean,
                p10_units=p10,
                p50_units=p50,
                p90_units=p90,
                system_mean_units=system,
            )
            for ahead, (mean, p10, p50, p90, system) in enumerate(days, start=1)
        ],
        overrides=[f"overrides/{override_id}" for override_id in served.overrides],
    )


def message_of_trend(trend: Trend) -> pb.TrendingProduct:
    return pb.TrendingProduct(
        product=trend.product,
        rank=trend.rank,
        growth_ratio=trend.growth_ratio,
        growth_ratio_p10=trend.growth_ratio_p10,
        recent_units=trend.recent_units,
        previous_units=trend.previous_units,
    )
