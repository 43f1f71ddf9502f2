"""Messages about the levels at the end of days to domain values and back."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

from hemline.inventory.v1 import inventory_service_pb2 as pb

from services.inventory.convert import ANY_STORE
from services.inventory.domain import StockDay, StockPeriod, StoreId
from services.inventory.fields import Fields

FIRST_DATE = date(2000, 1, 1)
LONGEST = timedelta(days=400)
ISO_DATE_CHARACTERS = 10
DAYS_PER_MESSAGE = 1_000


def stock_days_query_from(
    request: pb.StreamStockDaysRequest,
) -> tuple[StoreId | None, StockPeriod]:
    """Returns the store, None for all of them, and the days."""
    fields = Fields()
    store = None
    if request.parent not in ("", ANY_STORE):
        store = StoreId(fields.name(request.parent, "parent", "stores"))
    start, end = _date(request.start_date), _date(request.end_date)
    if start is None or start < FIRST_DATE:
        fields.refuse("start_date", "must be YYYY-MM-DD, 2000-01-01 or later.")
    elif end is None or not start <= end <= start + LONGEST:
        fields.refuse("end_date", "must be YYYY-MM-DD, start_date to 400 days after it.")
    fields.check()
    return store, StockPeriod(start or FIRST_DATE, end or FIRST_DATE)


def responses_from(days: list[StockDay]) -> Iterator[pb.StreamStockDaysResponse]:
    rest = iter(days)
    while part := list(islice(rest, DAYS_PER_MESSAGE)):
        yield pb.StreamStockDaysResponse(
            stock_days=[
                pb.StockDay(
                    store=day.store,
                    sku=day.sku,
                    stock_date=day.stock_date.isoformat(),
                    on_hand_units=day.on_hand_units,
                )
                for day in part
            ]
        )


def _date(text: str) -> date | None:
    # `fromisoformat` also takes 20260131 and 2026-W05-6.
    if len(text) != ISO_DATE_CHARACTERS or "W" in text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
