"""Override messages to domain values and back. A field that breaks its rule: InvalidArgument."""

import math
from datetime import date, timedelta
from uuid import UUID

from hemline.forecast.v1 import override_service_pb2 as pb

from services.chassis.fields import CONTROL, SKU, UUID_TEXT, Fields
from services.chassis.paging import Limits, Page, page_from
from services.chassis.wire import to_timestamp
from services.forecast.domain.overrides import (
    MOST_FACTOR,
    MOST_REASON,
    MOST_TOTAL_UNITS,
    Change,
    Override,
    Score,
    Subject,
    Wish,
)
from services.forecast.fields import day_from, is_store, refusal
from services.forecast.wire import newest

OVERRIDES = Limits(default=50, most=200)
MOST_NAME = 128
YEAR = timedelta(days=365)


def wish_from(request: pb.CreateOverrideRequest) -> Wish:
    fields = Fields()
    wanted = request.override
    request_id = fields.request_id(request.request_id)
    subject = _subject_from(wanted.subject, fields)
    start = day_from(wanted.start_date, "override.start_date", fields)
    end = day_from(wanted.end_date, "override.end_date", fields)
    if end < start:
        fields.refuse("override.end_date", "must not lie before start_date.")
    change = _change_from(wanted, fields)
    if not 0 < len(wanted.reason) <= MOST_REASON or CONTROL.search(wanted.reason):
        fields.refuse("override.reason", f"must be 1 to {MOST_REASON} printable characters.")
    fields.check()
    return Wish(request_id, subject, start, end, change, wanted.reason)


def override_id_from(name: str) -> UUID:
    collection, _, last = name.partition("/")
    if collection != "overrides" or not UUID_TEXT.fullmatch(last):
        raise refusal("name", "must be overrides/{override}, as ListOverrides names it.")
    return UUID(last)


def deleted_from(request: pb.DeleteOverrideRequest) -> UUID:
    fields = Fields()
    fields.request_id(request.request_id)
    fields.check()
    return override_id_from(request.name)


def page_of_overrides(request: pb.ListOverridesRequest) -> Page:
    """The sort key is the time an override was made, in microseconds since 1970, and its id."""
    only = str(request.only_active)
    return newest.check_key(
        page_from(request, OVERRIDES, "overrides", only, key=newest.KEY), "override"
    )


def summary_start_from(request: pb.SummarizeOverridesRequest, today: date) -> date:
    if not request.start_date:
        return today - YEAR
    fields = Fields()
    found = day_from(request.start_date, "start_date", fields)
    fields.check()
    return found


def message_of_override(override: Override) -> pb.Override:
    wish = override.wish
    conditions = {name: value for name, value in wish.subject._asdict().items() if value}
    change = {name: value for name, value in wish.change._asdict().items() if value is not None}
    return pb.Override(
        name=f"overrides/{override.id}",
        subject=pb.OverrideSubject(**conditions),
        start_date=wish.start_date.isoformat(),
        end_date=wish.end_date.isoformat(),
        reason=wish.reason,
        author=str(override.author),
        create_time=to_timestamp(override.create_time),
        delete_time=to_timestamp(override.delete_time) if override.delete_time else None,
        system_units=override.system_units,
        score=None if override.score is None else message_of_score(override.score),
        **change,
    )


def message_of_score(score: Score) -> pb.OverrideScore:
    return pb.OverrideScore(
        actual_units=score.actual_units,
        system_error_units=score.system_error_units,
        override_error_units=score.override_error_units,
        value_added=score.value_added,
    )


def _subject_from(subject: pb.OverrideSubject, fields: Fields) -> Subject:
    found = Subject(*((getattr(subject, name) or None) for name in Subject._fields))
    if not any(found):
        fields.refuse("override.subject", "must name a store, SKU, product or category.")
    if sum(value is not None for value in (found.sku, found.product, found.category)) > 1:
        fields.refuse("override.subject", "must name one of SKU, product and category at most.")
    if found.store is not None and not is_store(found.store):
        fields.refuse("override.subject.store", "must be 1 to 63 of a-z, 0-9 and hyphen.")
    if found.sku is not None and not SKU.fullmatch(found.sku):
        fields.refuse("override.subject.sku", "must be 1 to 64 of A-Z, 0-9 and hyphen.")
    for name in ("product", "category"):
        value = getattr(found, name) or ""
        if len(value) > MOST_NAME or CONTROL.search(value):
            rule = f"must be at most {MOST_NAME} printable characters."
            fields.refuse(f"override.subject.{name}", rule)
    return found


def _change_from(wanted: pb.Override, fields: Fields) -> Change:
    kind = wanted.WhichOneof("change")
    if kind is None:
        fields.refuse("override.total_units", "must be set, or else factor.")
        return Change()
    most = MOST_TOTAL_UNITS if kind == "total_units" else MOST_FACTOR
    value = float(getattr(wanted, kind))
    if not (math.isfinite(value) and 0 <= value <= most):
        fields.refuse(f"override.{kind}", f"must be 0 to {most:.0f}.")
    return Change(**{kind: value})
