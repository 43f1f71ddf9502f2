"""What can be imported: which fields, which lines, which call."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import grpc
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import plan_service_pb2 as plan_pb
from hemline.forecast.v1 import plan_service_pb2_grpc as plan_grpc
from hemline.forecast.v1 import sales_service_pb2 as sales_pb
from hemline.forecast.v1 import sales_service_pb2_grpc as sales_grpc
from hemline.forecast.v1 import stock_day_service_pb2 as stock_day_pb
from hemline.forecast.v1 import stock_day_service_pb2_grpc as stock_day_grpc
from hemline.inventory.v1 import inventory_service_pb2 as stock_pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as stock_grpc

from cli.importing import fields, fields_plans, lines_plans
from cli.importing.columns import Columns
from cli.importing.fields import Field
from cli.importing.lines import DEFAULT_STORE, Lines, Options, SalesLines, StockLines

ALL = "all"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is imported."""

    name: str
    fields: tuple[Field, ...]
    most_lines: int  # As the contract has it.
    request: Any  # The message class of the stream.
    lines: Callable[[Columns, Options, date], Lines]
    method: Callable[[grpc.Channel], Any]
    next_command: str
    default_store: str = ""  # As it is shown, where the file names no store.
    needs_store: bool = False  # Whether the place must be said, in the file or by an option.
    planned: bool = False  # Whether it matters when it became known.


SALES = Kind(
    name="sales",
    fields=fields.SALES,
    most_lines=2_000_000,
    request=sales_pb.ImportSalesRequest,
    lines=SalesLines,
    method=lambda channel: sales_grpc.SalesServiceStub(channel).ImportSales,
    next_command="forecast run",
    default_store=DEFAULT_STORE,
)
STOCK = Kind(
    name="stock",
    fields=fields.STOCK,
    most_lines=200_000,
    request=stock_pb.ImportStockRequest,
    lines=lambda columns, options, _: StockLines(columns, options),
    method=lambda channel: stock_grpc.InventoryServiceStub(channel).ImportStock,
    next_command="stock",
    # Sales of one shop need no store; a count must not end up in a place that nobody named.
    needs_store=True,
)
PROMOTIONS = Kind(
    name="promotions",
    fields=fields_plans.PROMOTIONS,
    most_lines=200_000,
    request=plan_pb.ImportPromotionsRequest,
    lines=lines_plans.PromotionLines,
    method=lambda channel: plan_grpc.PlanServiceStub(channel).ImportPromotions,
    next_command="forecast run",
    default_store=ALL,
    planned=True,
)
CALENDAR = Kind(
    name="calendar",
    fields=fields_plans.CALENDAR,
    most_lines=100_000,
    request=plan_pb.ImportCalendarRequest,
    lines=lines_plans.CalendarLines,
    method=lambda channel: plan_grpc.PlanServiceStub(channel).ImportCalendar,
    next_command="forecast run",
    default_store=ALL,
    planned=True,
)
ATTRIBUTES = Kind(
    name="attributes",
    fields=fields_plans.OF_SKUS,
    most_lines=500_000,
    request=attributes_pb.ImportAttributesRequest,
    lines=lines_plans.AttributeLines,
    method=lambda channel: attributes_grpc.AttributeServiceStub(channel).ImportAttributes,
    next_command="forecast run",
)
STOCK_DAYS = Kind(
    name="stock-days",
    fields=fields_plans.STOCK_DAYS,
    most_lines=2_000_000,
    request=stock_day_pb.ImportStockDaysRequest,
    lines=lines_plans.StockDayLines,
    method=lambda channel: stock_day_grpc.StockDayServiceStub(channel).ImportStockDays,
    next_command="forecast run",
    needs_store=True,
)
