"""Messages of an import of sales to domain values and back."""

from datetime import datetime

from hemline.forecast.v1 import sales_service_pb2 as pb

from services.forecast.domain.imports import Imported
from services.forecast.domain.sales import SalesLine
from services.forecast.fields import is_store
from services.forecast.wire.lines import (
    FIRST_DATE,
    SKU_RULE,
    STORE,
    MessageReader,
    Wrong,
    is_sku,
    is_text,
    tomorrow,
)

MOST_DOCUMENT_CHARACTERS = 64
MOST_PRODUCT_CHARACTERS = 128
MOST_UNITS = 1_000_000
MOST_PRICE_MICROS = 10**12


class SalesReader(MessageReader[SalesLine]):
    def __init__(self, now: datetime) -> None:
        super().__init__(tomorrow(now))

    def _line(self, line: pb.SalesLine) -> tuple[tuple[SalesLine], Wrong]:
        sale_date = self._date(line.sale_date)
        found = SalesLine(
            row=line.row,
            document=line.document,
            store=line.store,
            sku=line.sku,
            product=line.product or line.sku,
            sale_date=sale_date or FIRST_DATE,
            units=line.units,
            unit_price_micros=line.unit_price_micros,
        )
        return (found,), _wrong(found, dated=sale_date is not None)


def _wrong(line: SalesLine, *, dated: bool) -> Wrong:
    wrong: Wrong = []
    if not is_text(line.document, MOST_DOCUMENT_CHARACTERS):
        wrong.append(("document", "1 to 64 printable characters."))
    if not is_store(line.store):
        wrong.append(STORE)
    if not is_sku(line.sku):
        wrong.append(SKU_RULE)
    elif not is_text(line.product, MOST_PRODUCT_CHARACTERS):
        wrong.append(("product", "at most 128 printable characters."))
    if not dated:
        wrong.append(("sale_date", "YYYY-MM-DD, 2000-01-01 to tomorrow."))
    if not 0 < abs(line.units) <= MOST_UNITS:
        wrong.append(("units", "-1,000,000 to 1,000,000, not zero."))
    if not 0 <= line.unit_price_micros <= MOST_PRICE_MICROS:
        wrong.append(("unit_price_micros", "0 to 10^12 millionths."))
    return wrong


def response_from(imported: Imported) -> pb.ImportSalesResponse:
    return pb.ImportSalesResponse(
        lines=imported.lines, new_lines=imported.new_lines, known_lines=imported.known_lines
    )
