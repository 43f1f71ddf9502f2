"""Loads what a season planned, what its SKUs are, and when its shelves ran empty."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

import grpc
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import plan_service_pb2 as plan_pb
from hemline.forecast.v1 import plan_service_pb2_grpc as plan_grpc
from hemline.forecast.v1 import stock_day_service_pb2 as stock_pb
from hemline.forecast.v1 import stock_day_service_pb2_grpc as stock_grpc

from cli.output import Report
from cli.season_requests import batches, content, sending
from season import Season
from services.chassis.wire import to_timestamp

IMPORT_SECONDS = 600.0
KIND = "promotion"


def load(channel: grpc.Channel, season: Season, shown: Report) -> None:
    """Sends promotions, attributes and stock days.

    Raises:
        grpc.RpcError: a service refuses.
    """
    promotions = [
        plan_pb.ImportPromotionsRequest(lines=lines) for lines in batches(_promotions(season))
    ]
    if promotions:
        # The season's retailer plans a whole season before it begins.
        begin = datetime.combine(season.days[0], time(), UTC)
        promotions[0].known_time.CopyFrom(to_timestamp(begin))
    attributes = [
        attributes_pb.ImportAttributesRequest(lines=lines) for lines in batches(_attributes(season))
    ]
    stock_days = [
        stock_pb.ImportStockDaysRequest(lines=lines) for lines in batches(_stock_days(season))
    ]
    for what, call, messages in (
        ("promotions", plan_grpc.PlanServiceStub(channel).ImportPromotions, promotions),
        ("attributes", attributes_grpc.AttributeServiceStub(channel).ImportAttributes, attributes),
        ("stock days", stock_grpc.StockDayServiceStub(channel).ImportStockDays, stock_days),
    ):
        if messages:
            messages[0].request_id = content(season, what, messages)
            call(sending(messages, shown), timeout=IMPORT_SECONDS)


def _promotions(season: Season) -> Iterator[Any]:
    for row, promotion in enumerate(season.promotions, start=1):
        yield plan_pb.PromotionLine(
            row=row,
            promotion=f"{promotion.start_date}--{promotion.end_date}",
            store="-",
            scope="style",
            target=promotion.style,
            start_date=promotion.start_date.isoformat(),
            end_date=promotion.end_date.isoformat(),
            kind=KIND,
            discount_share=promotion.discount,
        )


def _attributes(season: Season) -> Iterator[Any]:
    for row, sku in enumerate(season.catalog.skus, start=1):
        category = season.catalog.styles[sku.style_index].category.name
        attributes = {
            "style": sku.style,
            "colour": sku.colour,
            "size": sku.size,
            "category": category,
        }
        yield attributes_pb.AttributeLine(row=row, sku=sku.sku, attributes=attributes)


def _stock_days(season: Season) -> Iterator[Any]:
    for row, (day, store, sku, units) in enumerate(season.stock_days, start=1):
        yield stock_pb.StockDayLine(
            row=row, store=store, sku=sku, stock_date=day.isoformat(), on_hand_units=units
        )
