"""The trend API on the wire. Translates; decides nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from hemline.forecast.v1 import trend_service_pb2 as pb
from hemline.forecast.v1 import trend_service_pb2_grpc as pb_grpc

from services.chassis.cache import Cache
from services.chassis.database import Database
from services.chassis.paging import Page
from services.forecast.answers.trends import popularity_of, trends_of
from services.forecast.domain.trends import PopularityOf, Question, TrendOf, TrendState
from services.forecast.trend_reader import Asked, TrendReader
from services.forecast.wire.convert import trends as convert

Context = grpc.aio.ServicerContext[Any, Any]

LOOK_SECONDS = 2.0


class TrendServicer(pb_grpc.TrendServiceServicer):
    def __init__(self, database: Database, cache: Cache) -> None:
        self._reader = TrendReader(database, cache)

    async def ListTrends(
        self, request: pb.ListTrendsRequest, context: Context
    ) -> pb.ListTrendsResponse:
        question = convert.question_from(request)
        states = {TrendState(state) for state in request.states}
        filters = ",".join(map(str, sorted(states)))
        page = convert.page_of(request, question, filters)
        asked, after = await self._asked(question, page)
        rows = [
            trend
            for trend in await self._trends(asked)
            if trend.rank > after and (not states or trend.state in states)
        ]
        shown, more = rows[: page.size], len(rows) > page.size
        return pb.ListTrendsResponse(
            trends=[convert.message_of_trend(trend) for trend in shown],
            next_page_token=_token(page, asked, shown[-1].rank if more else None),
            as_of_date=str(asked.question.as_of),
        )

    async def WatchTrends(
        self, request: pb.WatchTrendsRequest, context: Context
    ) -> AsyncIterator[pb.WatchTrendsResponse]:
        question, most = convert.watched_from(request)
        edition, shown = "", dict[str, TrendOf]()
        while True:
            asked = await self._reader.ask(question)
            if asked.edition != edition:
                trends = await self._trends(asked)
                # Of what was among the strongest before, it is told how far it fell, once.
                found = [each for each in trends if each.rank <= most or each.group in shown]
                changed = [each for each in found if _news(shown.get(each.group), each)]
                if changed or not edition:
                    yield pb.WatchTrendsResponse(
                        trends=[convert.message_of_trend(trend) for trend in changed],
                        as_of_date=str(asked.question.as_of),
                    )
                edition, shown = asked.edition, {each.group: each for each in trends[:most]}
            await asyncio.sleep(LOOK_SECONDS)

    async def ListPopularProducts(
        self, request: pb.ListPopularProductsRequest, context: Context
    ) -> pb.ListPopularProductsResponse:
        question = convert.popular_from(request)
        page = convert.page_of(request, question)
        asked, after = await self._asked(question, page)
        rows = [PopularityOf(*row) for row in await self._reader.answer(asked, popularity_of)]
        rows = rows[after:]
        shown, more = rows[: page.size], len(rows) > page.size
        return pb.ListPopularProductsResponse(
            products=[convert.message_of_popularity(found) for found in shown],
            next_page_token=_token(page, asked, shown[-1].rank if more else None),
            as_of_date=str(asked.question.as_of),
        )

    async def _asked(self, question: Question, page: Page) -> tuple[Asked, int]:
        """What a page is about, and the rank after which it begins."""
        asked, place = await self._reader.ask(question), convert.place_of(page)
        return (asked, 0) if place is None else (asked.as_before(*place[:2]), place.rank)

    async def _trends(self, asked: Asked) -> list[TrendOf]:
        return [convert.trend_from(row) for row in await self._reader.answer(asked, trends_of)]


def _token(page: Page, asked: Asked, rank: int | None) -> str:
    if rank is None:
        return ""
    return page.token((asked.edition, str(asked.question.as_of), rank))


def _news(before: TrendOf | None, now: TrendOf) -> bool:
    return before is None or (before.state, before.rank) != (now.state, now.rank)
