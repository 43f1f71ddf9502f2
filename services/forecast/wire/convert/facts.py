"""Attributes and stock days: messages to domain values and back."""

from collections.abc import Mapping
from datetime import datetime

from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import stock_day_service_pb2 as stock_pb

from services.chassis.paging import Limits, Page, page_from
from services.forecast.domain.facts import (
    MOST_ATTRIBUTES,
    AttributeValue,
    StockDay,
    Subject,
)
from services.forecast.domain.imports import Imported
from services.forecast.fields import is_store, parent_store, refusal
from services.forecast.wire.lines import (
    FIRST_DATE,
    SKU_RULE,
    STORE,
    MessageReader,
    Wrong,
    check_ordinal,
    counts,
    is_name,
    is_sku,
    is_text,
    tomorrow,
)

MOST_VALUE_CHARACTERS = 128
MOST_ON_HAND_UNITS = 1_000_000_000
TAKEN = ("sku", "store", "product", "all")
FACT_PAGES = Limits(default=50, most=500)
SUBJECTS = {
    attributes_pb.ATTRIBUTE_SUBJECT_UNSPECIFIED: Subject.SKU,
    attributes_pb.ATTRIBUTE_SUBJECT_SKU: Subject.SKU,
    attributes_pb.ATTRIBUTE_SUBJECT_STORE: Subject.STORE,
}


class AttributesReader(MessageReader[AttributeValue]):
    """A line becomes as many values as it names attributes."""

    def __init__(self, now: datetime) -> None:
        super().__init__(tomorrow(now))

    def _line(self, line: attributes_pb.AttributeLine) -> tuple[list[AttributeValue], Wrong]:
        wrong: Wrong = []
        subject = line.WhichOneof("subject")
        code = line.sku or line.store
        if subject == "sku" and not is_sku(code):
            wrong.append(SKU_RULE)
        elif subject == "store" and not is_store(code):
            wrong.append(STORE)
        elif subject is None:
            wrong.append(("sku", "an SKU or a store is needed."))
        if not 0 < len(line.attributes) <= MOST_ATTRIBUTES:
            wrong.append(("attributes", "1 to 32 are needed."))
        for name, value in sorted(line.attributes.items()):
            if not is_name(name) or name in TAKEN:
                wrong.append(("attributes", "names: 1 to 63 of a-z, 0-9, hyphens; not sku, all."))
            elif not is_text(value, MOST_VALUE_CHARACTERS):
                wrong.append((f"attributes[{name}]", "1 to 128 printable characters."))
        found = [
            AttributeValue(line.row, str(subject), code, name, value)
            for name, value in sorted(line.attributes.items())
        ]
        return found, wrong


class StockDaysReader(MessageReader[StockDay]):
    def __init__(self, now: datetime) -> None:
        super().__init__(tomorrow(now))

    def _line(self, line: stock_pb.StockDayLine) -> tuple[tuple[StockDay], Wrong]:
        wrong: Wrong = []
        stock_date = self._date(line.stock_date)
        if not is_store(line.store):
            wrong.append(STORE)
        if not is_sku(line.sku):
            wrong.append(SKU_RULE)
        if stock_date is None:
            wrong.append(("stock_date", "YYYY-MM-DD, 2000-01-01 to tomorrow."))
        if not 0 <= line.on_hand_units <= MOST_ON_HAND_UNITS:
            wrong.append(("on_hand_units", "0 to one billion."))
        found = StockDay(
            line.row, line.store, line.sku, stock_date or FIRST_DATE, line.on_hand_units
        )
        return (found,), wrong


def attributes_response(imported: Imported) -> attributes_pb.ImportAttributesResponse:
    return attributes_pb.ImportAttributesResponse(
        values=imported.lines,
        new_values=imported.new_lines,
        changed_values=imported.changed_lines,
        known_values=imported.known_lines,
    )


def stock_response(imported: Imported) -> stock_pb.ImportStockDaysResponse:
    return stock_pb.ImportStockDaysResponse(**counts(imported))


def attributes_query_from(
    request: attributes_pb.ListAttributesRequest,
) -> tuple[Subject, Page]:
    if request.subject not in SUBJECTS:
        raise refusal("subject", "must be SKU or STORE, or unspecified for SKU.")
    subject = SUBJECTS[request.subject]
    return subject, page_from(request, FACT_PAGES, "attributes", subject, key=(str,))


def stock_query_from(
    request: stock_pb.ListStockDaysRequest,
) -> tuple[str | None, str | None, Page]:
    """Returns the store and the SKU, None for all of them, and the page."""
    store = parent_store(request.parent)
    if request.sku and not is_sku(request.sku):
        raise refusal(*SKU_RULE)
    page = page_from(request, FACT_PAGES, "stock", store or "-", request.sku, key=(str, str, int))
    check_ordinal(page)
    return store, request.sku or None, page


def attributes_to(code: str, attributes: Mapping[str, str]) -> attributes_pb.Attributes:
    return attributes_pb.Attributes(code=code, attributes=attributes)


def stock_day_to(found: StockDay) -> stock_pb.StockDay:
    return stock_pb.StockDay(
        store=found.store,
        sku=found.sku,
        stock_date=found.stock_date.isoformat(),
        on_hand_units=found.on_hand_units,
    )
