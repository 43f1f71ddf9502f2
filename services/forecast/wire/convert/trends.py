"""Trend messages to domain values and back. A field that breaks its rule: InvalidArgument."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from hemline.forecast.v1 import trend_service_pb2 as pb

from services.chassis.fields import Fields
from services.chassis.paging import Limits, Page, page_from
from services.forecast.domain.trends import (
    DEFAULT_DAYS,
    LEAST_DAYS,
    MOST_ATTRIBUTES,
    MOST_DAYS,
    MOST_STORES,
    PRODUCT,
    ChangePoint,
    PopularityOf,
    Question,
    TrendOf,
    TrendState,
)
from services.forecast.fields import day_from, iso_date, refusal
from services.forecast.wire.filters import are_attributes, are_stores, is_attribute

TRENDS = Limits(default=20, most=200)


def question_from(request: pb.ListTrendsRequest) -> Question:
    fields = Fields()
    found = _question(request.group_by, request.filter, request.as_of_date, fields)
    if not {int(state) for state in request.states} <= set(map(int, TrendState)):
        fields.refuse("states", "must be states of TrendState.")
    fields.check()
    return found


def watched_from(request: pb.WatchTrendsRequest) -> tuple[Question, int]:
    fields = Fields()
    found = _question(request.group_by, request.filter, "", fields)
    if not 0 <= request.most <= TRENDS.most:
        fields.refuse("most", f"must be 0 (for {TRENDS.default}) to {TRENDS.most}.")
    fields.check()
    return found, request.most or TRENDS.default


def popular_from(request: pb.ListPopularProductsRequest) -> Question:
    fields = Fields()
    days = request.days or DEFAULT_DAYS
    if not LEAST_DAYS <= days <= MOST_DAYS:
        rule = f"must be {LEAST_DAYS} to {MOST_DAYS}, or 0 for {DEFAULT_DAYS}."
        fields.refuse("days", rule)
    found = _question(request.group_by, request.filter, request.as_of_date, fields, days)
    fields.check()
    return found


class Place(NamedTuple):
    """Where a page of a walk ended."""

    edition: str  # Of the data.
    as_of: date
    rank: int


def page_of(request: Any, question: Question, *filters: str) -> Page:
    """The sort key is a `Place`, the day as `YYYY-MM-DD`."""
    return page_from(request, TRENDS, "trends", question.key, *filters, key=(str, str, int))


def place_of(page: Page) -> Place | None:
    """Where the page before ended, if there was one."""
    if page.after is None:
        return None
    edition, day, rank = page.after
    as_of = iso_date(str(day))
    if as_of is None:
        raise refusal("page_token", "must be a next_page_token of this list.")
    return Place(str(edition), as_of, max(int(rank), 0))


def trend_from(row: Sequence[Any]) -> TrendOf:
    """Reads a row as the cache keeps it."""
    *_, points = row
    changes = tuple(ChangePoint(date.fromisoformat(day), ratio) for day, ratio in points)
    return TrendOf._make((*row[:-1], changes))


def message_of_trend(trend: TrendOf) -> pb.Trend:
    return pb.Trend(
        group=trend.group,
        rank=trend.rank,
        state=pb.TrendState.ValueType(trend.state),
        growth_ratio=trend.growth_ratio,
        growth_ratio_p10=trend.growth_ratio_p10,
        growth_ratio_p90=trend.growth_ratio_p90,
        rising_probability=trend.rising_probability,
        outlook_ratio=trend.outlook_ratio,
        recent_units=trend.recent_units,
        previous_units=trend.previous_units,
        change_points=[
            pb.ChangePoint(date=point.first_day.isoformat(), ratio=point.ratio)
            for point in trend.change_points
        ],
    )


def message_of_popularity(found: PopularityOf) -> pb.Popularity:
    return pb.Popularity(**found._asdict())


def _question(
    group_by: str, chosen: pb.SeriesFilter, as_of: str, fields: Fields, days: int | None = None
) -> Question:
    if group_by and not is_attribute(group_by):
        fields.refuse("group_by", "must be product, store, or the name of an attribute of SKUs.")
    if not are_stores(chosen.stores, MOST_STORES):
        fields.refuse("filter.stores", f"must be at most {MOST_STORES} names of stores.")
    if not are_attributes(chosen.attributes, MOST_ATTRIBUTES):
        rule = f"must be at most {MOST_ATTRIBUTES} names of attributes with printable values."
        fields.refuse("filter.attributes", rule)
    day = day_from(as_of, "as_of_date", fields) if as_of else None
    stores = tuple(sorted(set(chosen.stores)))
    attributes = tuple(sorted(chosen.attributes.items()))
    return Question(group_by or PRODUCT, stores, attributes, day, days)
