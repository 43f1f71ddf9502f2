"""Messages of an import to domain values and back."""

from datetime import date, timedelta
from uuid import UUID

from hemline.forecast.v1 import sales_service_pb2 as pb

from services.chassis.errors import FieldViolation
from services.chassis.fields import CONTROL, SKU
from services.chassis.imports import MOST_LINES_PER_MESSAGE, violation
from services.forecast.domain_sales import (
    Batch,
    Imported,
    SalesLine,
)
from services.forecast.fields import is_store, refusal, request_id_from

MOST_DOCUMENT_CHARACTERS = 64
MOST_PRODUCT_CHARACTERS = 128
MOST_UNITS = 1_000_000
MOST_PRICE_MICROS = 10**12
FIRST_DATE = date(2000, 1, 1)
ISO_DATE_CHARACTERS = 10


class ImportReader:
    """Reads the messages of one import, first to last."""

    def __init__(self, today: date) -> None:
        self._last_date = today + timedelta(days=1)
        self._dates: dict[str, date] = {}  # Most lines repeat the date of the one before.
        self._request_id: UUID | None = None

    def read(self, message: pb.ImportSalesRequest) -> Batch:
        """Checks every line of a message by itself.

        Raises:
            InvalidArgument: the message breaks a rule, whatever its lines say.
        """
        if self._request_id is None:
            self._request_id = request_id_from(message.request_id)
        elif message.request_id and request_id_from(message.request_id) != self._request_id:
            raise refusal("request_id", "must be that of the first message, or empty.")
        if not 0 < len(message.lines) <= MOST_LINES_PER_MESSAGE:
            raise refusal("lines", f"every message carries 1 to {MOST_LINES_PER_MESSAGE} lines.")
        good: list[SalesLine] = []
        violations: list[FieldViolation] = []
        for line in message.lines:
            found = self._line(line)
            wrong = self._wrong(found, line.sale_date)
            if wrong:
                violations.extend(wrong)
            else:
                good.append(found)
        return Batch(
            self._request_id, tuple(good), tuple(violations), len(message.lines) - len(good)
        )

    def _line(self, line: pb.SalesLine) -> SalesLine:
        return SalesLine(
            row=line.row,
            document=line.document,
            store=line.store,
            sku=line.sku,
            product=line.product or line.sku,
            sale_date=self._date(line.sale_date) or FIRST_DATE,
            units=line.units,
            unit_price_micros=line.unit_price_micros,
        )

    def _wrong(self, line: SalesLine, sale_date: str) -> list[FieldViolation]:
        # Short: they travel in trailers, and what does not fit is not named.
        wrong: list[tuple[str, str]] = []
        if line.row <= 0:
            wrong.append(("row", "must be positive."))
        if not _is_text(line.document, MOST_DOCUMENT_CHARACTERS):
            wrong.append(("document", "1 to 64 printable characters."))
        if not is_store(line.store):
            wrong.append(("store", "1 to 63 of a-z, 0-9 and hyphens."))
        if not SKU.fullmatch(line.sku):
            wrong.append(("sku", "1 to 64 of A-Z, 0-9 and hyphens."))
        elif not _is_text(line.product, MOST_PRODUCT_CHARACTERS):
            wrong.append(("product", "at most 128 printable characters."))
        if self._date(sale_date) is None:
            wrong.append(("sale_date", "YYYY-MM-DD, 2000-01-01 to tomorrow."))
        if not 0 < abs(line.units) <= MOST_UNITS:
            wrong.append(("units", "-1,000,000 to 1,000,000, not zero."))
        if not 0 <= line.unit_price_micros <= MOST_PRICE_MICROS:
            wrong.append(("unit_price_micros", "0 to 10^12 millionths."))
        return [violation(line.row, field, rule) for field, rule in wrong]

    def _date(self, text: str) -> date | None:
        found = self._dates.get(text)
        if found is None:
            found = self._parsed(text)
            if found is not None:
                self._dates[text] = found
        return found

    def _parsed(self, text: str) -> date | None:
        # `fromisoformat` also takes 20260131 and 2026-W05-6.
        if len(text) != ISO_DATE_CHARACTERS or "W" in text:
            return None
        try:
            parsed = date.fromisoformat(text)
        except ValueError:
            return None
        return parsed if FIRST_DATE <= parsed <= self._last_date else None


def response_from(imported: Imported) -> pb.ImportSalesResponse:
    return pb.ImportSalesResponse(
        lines=imported.lines, new_lines=imported.new_lines, known_lines=imported.known_lines
    )


def _is_text(text: str, most: int) -> bool:
    return 0 < len(text) <= most and not CONTROL.search(text)
