"""Loads a simulated season into a tenant: stores, stock, sales, plans, and a first forecast.

Every request_id follows from what is sent, so that an interrupted seed can be run again. A tenant
that has a forecast already is left alone: it is seeded, or it holds sales of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid5

import grpc
from hemline.forecast.v1 import forecast_service_pb2 as forecast_pb
from hemline.forecast.v1 import forecast_service_pb2_grpc as forecast_grpc
from hemline.forecast.v1 import sales_service_pb2 as sales_pb
from hemline.forecast.v1 import sales_service_pb2_grpc as sales_grpc
from hemline.inventory.v1 import catalog_service_pb2 as catalog_pb
from hemline.inventory.v1 import catalog_service_pb2_grpc as catalog_grpc
from hemline.inventory.v1 import inventory_service_pb2 as stock_pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as stock_grpc

from cli import season_plans
from cli.output import Report
from cli.problems import details_of
from cli.season_requests import NAMESPACE, batches, content, content_id, sending
from cli.session import sign_in
from season import Season, simulate
from season.presets import season_of
from services.chassis.wire import to_datetime, to_timestamp

NO_RUN = "NO_RUN"
CLOSING_TIME = time(20)  # When the stock is counted.
IMPORT_SECONDS = 600.0
RUN_SECONDS = 600.0

Begin = Callable[[str], Report]
"""Starts a step by its label. What it returns takes the share of the step that is done."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a seed has done. Counts are 0 if the tenant was left alone."""

    tenant: str
    already: bool  # The tenant had a forecast, and nothing was sent.
    series: int
    sales_lines: int
    new_sales_lines: int
    forecast_series: int
    end_date: str  # The last day with sales, YYYY-MM-DD.


def seed(
    email: str,
    tenant: str,
    *,
    seed_number: int = 1,
    weeks: int = 60,
    begin: Begin | None = None,
) -> Seeded:
    """Seeds the tenant of ``email`` with the season of the retailer ``tenant``.

    Args:
        email: of a user who may import and forecast.
        tenant: a preset (`atelier-nord`, `harbor-and-pine`), or any other name.
        seed_number: of the random numbers.
        weeks: how far the season reaches back from yesterday.
        begin: is told of each step.

    Raises:
        Problem: nobody can sign in as ``email``.
        grpc.RpcError: a service refuses.
    """
    begin = begin or _unseen
    with sign_in(email).channel() as channel:
        cutoff_date = _forecast_until(channel)
        if cutoff_date:
            return Seeded(
                tenant,
                already=True,
                series=0,
                sales_lines=0,
                new_sales_lines=0,
                forecast_series=0,
                end_date=cutoff_date,
            )
        shown = begin(f"{tenant}: season")
        end_date = (_begun(channel) or datetime.now(UTC).date()) - timedelta(days=1)
        season = simulate(season_of(tenant, end_date, seed_number, weeks))
        shown(1.0)
        _make_stores(channel, season, begin(f"{tenant}: stores"))
        _import_stock(channel, season, begin(f"{tenant}: stock"))
        answer, sales = _import_sales(channel, season, begin(f"{tenant}: sales"))
        season_plans.load(channel, season, begin(f"{tenant}: plans"))
        run = _forecast(channel, sales, begin(f"{tenant}: forecast"))
    return Seeded(
        tenant,
        already=False,
        series=len(season.series),
        sales_lines=answer.lines,
        new_sales_lines=answer.new_lines,
        forecast_series=run.series,
        end_date=end_date.isoformat(),
    )


def _unseen(_label: str) -> Report:
    return lambda _share: None


def _forecast_until(channel: grpc.Channel) -> str:
    """The last day that the tenant's forecast has seen; empty if nothing was forecast yet."""
    stub = forecast_grpc.ForecastServiceStub(channel)
    try:
        page = stub.ListForecasts(forecast_pb.ListForecastsRequest(page_size=1))
    except grpc.RpcError as error:
        info, _ = details_of(error)
        if info.reason == NO_RUN:
            return ""
        raise
    return page.forecast_run.cutoff_date


def _begun(channel: grpc.Channel) -> date | None:
    """The day on which an earlier seed, interrupted since, has brought the stock.

    The season ends the day before. Another day would be another season, and its sales would
    contradict those that have arrived.
    """
    stub = stock_grpc.InventoryServiceStub(channel)
    page = stub.ListStockLevels(stock_pb.ListStockLevelsRequest(page_size=1))
    levels = page.stock_levels
    return to_datetime(levels[0].update_time).date() if levels else None


def _make_stores(channel: grpc.Channel, season: Season, shown: Report) -> None:
    stub = catalog_grpc.CatalogServiceStub(channel)
    for number, place in enumerate(season.stores, start=1):
        store = catalog_pb.Store(
            name=f"stores/{place.name}",
            display_name=place.display_name,
            time_zone=place.time_zone,
        )
        request_id = content_id(season, "store", store.SerializeToString(deterministic=True))
        stub.CreateStore(catalog_pb.CreateStoreRequest(store=store, request_id=request_id))
        shown(number / len(season.stores))


def _import_stock(channel: grpc.Channel, season: Season, shown: Report) -> None:
    """Counts twice: what came first, and what is left. So the ledger knows what has run out."""
    stub = stock_grpc.InventoryServiceStub(channel)
    for what, counts, day in (
        ("opening", season.opening, season.days[0]),
        ("stock", season.stock, season.days[-1]),
    ):
        lines = [
            stock_pb.StockLine(row=row, **count._asdict())
            for row, count in enumerate(counts, start=1)
        ]
        messages = [stock_pb.ImportStockRequest(lines=batch) for batch in batches(lines)]
        messages[0].request_id = content(season, what, messages)
        evening = datetime.combine(day, CLOSING_TIME, UTC)
        messages[0].count_time.CopyFrom(to_timestamp(evening))
        stub.ImportStock(sending(messages, shown), timeout=IMPORT_SECONDS)


def _import_sales(
    channel: grpc.Channel, season: Season, shown: Report
) -> tuple[sales_pb.ImportSalesResponse, str]:
    """Returns the answer, and the request_id that stands for the content."""
    lines = (
        sales_pb.SalesLine(row=row, **line._asdict())
        for row, line in enumerate(season.sales, start=1)
    )
    messages = [sales_pb.ImportSalesRequest(lines=batch) for batch in batches(lines)]
    request_id = content(season, "sales", messages)
    messages[0].request_id = request_id
    stub = sales_grpc.SalesServiceStub(channel)
    return stub.ImportSales(sending(messages, shown), timeout=IMPORT_SECONDS), request_id


def _forecast(channel: grpc.Channel, sales: str, shown: Report) -> forecast_pb.ForecastRun:
    request_id = str(uuid5(NAMESPACE, f"forecast of {sales}"))
    stub = forecast_grpc.ForecastServiceStub(channel)
    request = forecast_pb.CreateForecastRunRequest(request_id=request_id)
    answer = stub.CreateForecastRun(request, timeout=RUN_SECONDS)
    shown(1.0)
    return answer.forecast_run
