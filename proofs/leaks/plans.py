"""Plans, attributes and stock days with a canary in every field that is kept."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import plan_service_pb2 as plan_pb
from hemline.forecast.v1 import plan_service_pb2_grpc as plan_grpc
from hemline.forecast.v1 import stock_day_service_pb2 as stock_pb
from hemline.forecast.v1 import stock_day_service_pb2_grpc as stock_grpc
from hemline.inventory.v1 import inventory_service_pb2 as inventory_pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as inventory_grpc

from proofs.leaks.canaries import Canaries

Call = tuple[Callable[..., Any], Any]


def writes(words: Canaries, channel: Any) -> Iterator[Call]:
    """Imports by stream: the method, and its only message."""
    today = datetime.now(UTC).date()
    first, last = today.isoformat(), (today + timedelta(days=7)).isoformat()
    promotion = plan_pb.PromotionLine(
        row=1,
        promotion=words.text("promotion"),
        store=words.text("store"),
        scope=words.text("attribute"),
        target=words.text("attribute value"),
        kind=words.text("promotion kind"),
        discount_share=0.3,
        start_date=first,
        end_date=last,
    )
    yield (
        plan_grpc.PlanServiceStub(channel).ImportPromotions,
        plan_pb.ImportPromotionsRequest(
            request_id=words.text("promotions request"), lines=[promotion]
        ),
    )
    event = plan_pb.CalendarLine(
        row=1,
        event=words.text("event"),
        store=words.text("store"),
        start_date=first,
        end_date=last,
    )
    yield (
        plan_grpc.PlanServiceStub(channel).ImportCalendar,
        plan_pb.ImportCalendarRequest(request_id=words.text("calendar request"), lines=[event]),
    )
    attribute = attributes_pb.AttributeLine(
        row=1,
        sku=words.upper("sku"),
        attributes={words.text("attribute"): words.text("attribute value")},
    )
    yield (
        attributes_grpc.AttributeServiceStub(channel).ImportAttributes,
        attributes_pb.ImportAttributesRequest(
            request_id=words.text("attributes request"), lines=[attribute]
        ),
    )
    level = stock_pb.StockDayLine(
        row=1,
        store=words.text("store"),
        sku=words.upper("sku"),
        stock_date=today.isoformat(),
        on_hand_units=40,
    )
    yield (
        stock_grpc.StockDayServiceStub(channel).ImportStockDays,
        stock_pb.ImportStockDaysRequest(request_id=words.text("stock days request"), lines=[level]),
    )


def reads(words: Canaries, channel: Any) -> Iterator[Call]:
    """The method, and its request."""
    store = f"stores/{words.text('store')}"
    plans = plan_grpc.PlanServiceStub(channel)
    yield plans.ListPromotions, plan_pb.ListPromotionsRequest(parent=store)
    yield plans.ListCalendar, plan_pb.ListCalendarRequest(parent=store)
    attributes = attributes_grpc.AttributeServiceStub(channel)
    yield attributes.ListAttributes, attributes_pb.ListAttributesRequest()
    stock = stock_grpc.StockDayServiceStub(channel)
    yield stock.ListStockDays, stock_pb.ListStockDaysRequest(parent=store)
    today = datetime.now(UTC).date().isoformat()
    streamed = inventory_pb.StreamStockDaysRequest(parent=store, start_date=today, end_date=today)
    ledger = inventory_grpc.InventoryServiceStub(channel)
    yield lambda request, **options: list(ledger.StreamStockDays(request, **options)), streamed
