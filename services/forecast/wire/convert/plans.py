"""Promotions and calendars: messages to domain values and back."""

from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from hemline.forecast.v1 import plan_service_pb2 as pb

from services.chassis.paging import Limits, Page, page_from
from services.chassis.wire import to_timestamp
from services.forecast.domain.imports import Imported
from services.forecast.domain.plans import (
    EVERYTHING,
    SKU,
    CalendarLine,
    Event,
    Promotion,
    PromotionLine,
)
from services.forecast.fields import parent_store, refusal
from services.forecast.wire.lines import (
    FIRST_DATE,
    MessageReader,
    Wrong,
    check_ordinal,
    counts,
    is_name,
    is_sku,
    is_store_or_all,
    is_text,
    known_time_from,
    moment_from,
)

MOST_NAME_CHARACTERS = 64
MOST_TARGET_CHARACTERS = 128
MOST_PRICE_MICROS = 10**12
LONGEST = timedelta(days=731)
AHEAD = timedelta(days=5 * 366)
PLAN_PAGES = Limits(default=50, most=500)
START = ("start_date", "YYYY-MM-DD, 2000-01-01 to five years from now.")
END = ("end_date", "YYYY-MM-DD, start_date to two years after it.")
ANY_STORE = ("store", "1 to 63 of a-z, 0-9 and hyphens; - for all.")

PlanLine = TypeVar("PlanLine", bound=tuple[Any, ...])


class _PlanReader(MessageReader[PlanLine]):
    """Reads since when a plan is known, too."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now.date() + AHEAD + LONGEST)
        self._now = now
        self._last_start = now.date() + AHEAD
        self.known_time: datetime | None = None  # Once the first message has been read.

    def _begin(self, message: Any) -> None:
        self.known_time = known_time_from(message, self._now)

    def _go_on(self, message: Any) -> None:
        if message.HasField("known_time") and self.known_time != known_time_from(
            message, self._now
        ):
            raise refusal("known_time", "must be that of the first message, or absent.")

    def _span(self, line: Any, wrong: Wrong) -> tuple[date, date]:
        start, end = self._date(line.start_date), self._date(line.end_date)
        if start is None or start > self._last_start:
            wrong.append(START)
        elif end is None or not start <= end <= start + LONGEST:
            wrong.append(END)
        return start or FIRST_DATE, end or FIRST_DATE


class PromotionsReader(_PlanReader[PromotionLine]):
    def _line(self, line: pb.PromotionLine) -> tuple[tuple[PromotionLine], Wrong]:
        wrong: Wrong = []
        start_date, end_date = self._span(line, wrong)
        price_micros = line.price_micros if line.HasField("price_micros") else None
        found = PromotionLine(
            row=line.row,
            promotion=line.promotion,
            store=line.store,
            scope=line.scope,
            target=line.target,
            start_date=start_date,
            end_date=end_date,
            kind=line.kind,
            discount_share=line.discount_share,
            price_micros=price_micros,
            cancelled=line.cancelled,
        )
        return (found,), wrong + _wrong(found)


def _wrong(line: PromotionLine) -> Wrong:
    wrong: Wrong = []
    if not is_text(line.promotion, MOST_NAME_CHARACTERS):
        wrong.append(("promotion", "1 to 64 printable characters."))
    if not is_store_or_all(line.store):
        wrong.append(ANY_STORE)
    if not is_name(line.scope):
        wrong.append(("scope", "sku, product, all, or the name of an attribute."))
    elif not _is_target(line.scope, line.target):
        wrong.append(("target", "an SKU, or 1 to 128 printable characters; empty for all."))
    if not is_name(line.kind):
        wrong.append(("kind", "1 to 63 of a-z, 0-9 and hyphens."))
    return wrong + _wrong_price(line)


def _wrong_price(line: PromotionLine) -> Wrong:
    if not 0 <= line.discount_share <= 1:  # Nor is NaN.
        return [("discount_share", "0 to 1: 0.3 is 30 % off.")]
    if line.price_micros is None:
        return []
    if not 0 <= line.price_micros <= MOST_PRICE_MICROS:
        return [("price_micros", "0 to 10^12 millionths.")]
    return [("discount_share", "must be 0: there is a price.")] if line.discount_share else []


def _is_target(scope: str, target: str) -> bool:
    if scope == EVERYTHING:
        return not target
    return is_sku(target) if scope == SKU else is_text(target, MOST_TARGET_CHARACTERS)


class CalendarReader(_PlanReader[CalendarLine]):
    def _line(self, line: pb.CalendarLine) -> tuple[tuple[CalendarLine], Wrong]:
        wrong: Wrong = []
        start_date, end_date = self._span(line, wrong)
        found = CalendarLine(
            row=line.row,
            event=line.event,
            store=line.store,
            start_date=start_date,
            end_date=end_date,
            closed=line.closed,
            cancelled=line.cancelled,
        )
        if not is_name(line.event):
            wrong.append(("event", "1 to 63 of a-z, 0-9 and hyphens."))
        if not is_store_or_all(line.store):
            wrong.append(ANY_STORE)
        return (found,), wrong


def promotions_response(imported: Imported) -> pb.ImportPromotionsResponse:
    return pb.ImportPromotionsResponse(**counts(imported))


def calendar_response(imported: Imported) -> pb.ImportCalendarResponse:
    return pb.ImportCalendarResponse(**counts(imported))


def promotions_query_from(
    request: pb.ListPromotionsRequest, now: datetime
) -> tuple[str | None, datetime, Page]:
    """Returns the store, None for all of them, the moment, and the page."""
    return _query_from(request, now, "promotions", key=(str, str, str, str))


def calendar_query_from(
    request: pb.ListCalendarRequest, now: datetime
) -> tuple[str | None, datetime, Page]:
    """The same. The last part of the page's key is the ordinal of a date."""
    store, as_of, page = _query_from(request, now, "calendar", key=(str, str, int))
    check_ordinal(page)
    return store, as_of, page


def _query_from(
    request: Any, now: datetime, listed: str, *, key: tuple[type, ...]
) -> tuple[str | None, datetime, Page]:
    store = parent_store(request.parent)
    as_of = moment_from(request.as_of, "as_of", now) if request.HasField("as_of") else None
    filters = (listed, store or "-", as_of.isoformat() if as_of else "")
    return store, as_of or now, page_from(request, PLAN_PAGES, *filters, key=key)


def promotion_to(found: Promotion) -> pb.Promotion:
    made = pb.Promotion(
        promotion=found.promotion,
        store=found.store,
        scope=found.scope,
        target=found.target,
        start_date=found.start_date.isoformat(),
        end_date=found.end_date.isoformat(),
        kind=found.kind,
        discount_share=found.discount_share,
        known_time=to_timestamp(found.known_time),
    )
    if found.price_micros is not None:
        made.price_micros = found.price_micros
    return made


def event_to(found: Event) -> pb.CalendarEvent:
    return pb.CalendarEvent(
        event=found.event,
        store=found.store,
        start_date=found.start_date.isoformat(),
        end_date=found.end_date.isoformat(),
        closed=found.closed,
        known_time=to_timestamp(found.known_time),
    )
