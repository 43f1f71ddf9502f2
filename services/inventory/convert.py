"""Ledger messages to domain values and back. A broken field rule raises InvalidArgument."""

from datetime import datetime

from hemline.inventory.v1 import inventory_service_pb2 as pb

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.fields import NAME, SKU
from services.chassis.paging import Limits, Page, page_from
from services.chassis.wire import to_timestamp
from services.inventory.domain import (
    MOST_DELTA_UNITS,
    Movement,
    Posting,
    Reason,
    Sku,
    StockLevel,
    StoreId,
)
from services.inventory.fields import Fields

LEVEL_PAGES = Limits(default=50, most=500)
ANY_STORE = "stores/-"

REASONS = {
    pb.MOVEMENT_REASON_RECEIPT: Reason.RECEIPT,
    pb.MOVEMENT_REASON_SALE: Reason.SALE,
    pb.MOVEMENT_REASON_RETURN: Reason.RETURN,
    pb.MOVEMENT_REASON_TRANSFER: Reason.TRANSFER,
    pb.MOVEMENT_REASON_COUNT: Reason.COUNT,
}
WIRE_REASONS = {reason: value for value, reason in REASONS.items()}


def movement_from(request: pb.RecordMovementRequest, now: datetime) -> Movement:
    fields = Fields()
    store = StoreId(fields.name(request.parent, "parent", "stores"))
    request_id = fields.request_id(request.request_id)
    stated = request.movement
    if not request.HasField("movement"):
        fields.refuse("movement", "needed.")
        fields.check()
    sku = Sku(fields.sku(stated.sku, "movement.sku"))
    if not 0 < abs(stated.delta_units) <= MOST_DELTA_UNITS:
        fields.refuse(
            "movement.delta_units", f"must be 1 to {MOST_DELTA_UNITS}, or the same below zero."
        )
    if stated.reason not in REASONS:
        fields.refuse("movement.reason", "must be one of the reasons, and not UNSPECIFIED.")
    occur_time = now
    if stated.HasField("occur_time"):
        occur_time = fields.moment(stated.occur_time, "movement.occur_time", now)
    else:
        fields.refuse("movement.occur_time", "needed.")
    fields.check()
    return Movement(
        request_id=request_id,
        store=store,
        sku=sku,
        delta_units=stated.delta_units,
        reason=REASONS[stated.reason],
        occur_time=occur_time,
        occur_nanos=stated.occur_time.nanos % 1000,
    )


def movement_to(posting: Posting) -> pb.RecordMovementResponse:
    movement = posting.movement
    occur_time = to_timestamp(movement.occur_time)
    occur_time.nanos += movement.occur_nanos
    return pb.RecordMovementResponse(
        movement=pb.Movement(
            name=f"stores/{movement.store}/movements/{movement.request_id}",
            sku=movement.sku,
            delta_units=movement.delta_units,
            reason=WIRE_REASONS[movement.reason],
            occur_time=occur_time,
            record_time=to_timestamp(posting.record_time),
        ),
        on_hand_units=posting.on_hand_units,
    )


def level_name_from(request: pb.GetStockLevelRequest) -> tuple[StoreId, Sku]:
    match request.name.split("/"):
        case ["stores", store, "levels", sku] if NAME.fullmatch(store) and SKU.fullmatch(sku):
            return StoreId(store), Sku(sku)
    raise InvalidArgument(FieldViolation("name", "must be stores/{store}/levels/{sku}."))


def levels_query_from(request: pb.ListStockLevelsRequest) -> tuple[StoreId | None, Page]:
    """Returns the store, None for all of them, and the page."""
    fields = Fields()
    store = None
    if request.parent not in ("", ANY_STORE):
        store = StoreId(fields.name(request.parent, "parent", "stores"))
    fields.check()
    page = page_from(request, LEVEL_PAGES, store or "-", key=(str, str))
    return store, page


def level_to(level: StockLevel) -> pb.StockLevel:
    return pb.StockLevel(
        name=f"stores/{level.store}/levels/{level.sku}",
        sku=level.sku,
        on_hand_units=level.on_hand_units,
        style=f"styles/{level.style}",
        colour=level.colour,
        size=level.size,
        update_time=to_timestamp(level.update_time),
    )
