"""The forecast API on the wire. Translates, caches, opens the transaction; decides nothing."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from hemline.forecast.v1 import forecast_service_pb2 as pb
from hemline.forecast.v1 import forecast_service_pb2_grpc as pb_grpc
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.cache import EDITION_SECONDS, Cache
from services.chassis.database import Database
from services.chassis.tenancy import current_caller
from services.forecast.domain.forecasts import ForecastNotFound, Run, SeriesForecast
from services.forecast.domain.overrides import Served, apply
from services.forecast.domain.totals import RunGone, total_of
from services.forecast.fields import parent_store, refusal
from services.forecast.jobs.requests import Jobs
from services.forecast.stores.forecasts import ForecastStore
from services.forecast.stores.overrides import OverrideStore
from services.forecast.stores.totals import TotalStore
from services.forecast.wire.convert import forecasts as convert
from services.forecast.wire.convert import totals as convert_totals

Context = grpc.aio.ServicerContext[Any, Any]

BATCH = 200
"""Forecasts of one message of a stream."""
KEPT_SECONDS = 3600
"""Keys hold the run, so nothing kept is ever wrong; it only stops being asked for."""


class ForecastServicer(pb_grpc.ForecastServiceServicer):
    def __init__(self, database: Database, cache: Cache, jobs: Jobs) -> None:
        self._database = database
        self._cache = cache
        self._jobs = jobs

    async def CreateForecastRun(
        self, request: pb.CreateForecastRunRequest, context: Context
    ) -> pb.CreateForecastRunResponse:
        run = await self._jobs.create_run(convert.run_request_from(request))
        return pb.CreateForecastRunResponse(forecast_run=convert.message_of_run(run))

    async def GetForecast(
        self, request: pb.GetForecastRequest, context: Context
    ) -> pb.GetForecastResponse:
        store, sku = convert.series_from(request.name)

        async def read() -> bytes:
            async with self._database.transaction() as session:
                run = await _run_of(ForecastStore(session), None)
                found = await ForecastStore(session).find(run, store, sku)
                if found is None:
                    raise _never_sold(store, sku)
                (served,) = await _changed(session, run, [found])
            forecast = convert.message_of_forecast(run, served)
            return pb.GetForecastResponse(forecast=forecast).SerializeToString()

        if self._database.reads_elsewhere(current_caller().home_region):
            # The home region's Redis is told of new runs; this one's is not.
            return pb.GetForecastResponse.FromString(await read())
        key = f"forecast:{store}/{sku}"
        kept = await self._cache.get_or_make_newest(key, read, ttl_seconds=EDITION_SECONDS)
        return pb.GetForecastResponse.FromString(kept)

    async def ListForecasts(
        self, request: pb.ListForecastsRequest, context: Context
    ) -> pb.ListForecastsResponse:
        listing = convert.listing_from(request)
        async with self._database.transaction() as session:
            store = ForecastStore(session)
            run = await _run_of(store, listing.run_number)
            found = await _forecasts(store, run, listing)
            shown, more = found[: listing.page.size], len(found) > listing.page.size
            served = await _changed(session, run, shown)
        return pb.ListForecastsResponse(
            forecasts=[convert.message_of_forecast(run, forecast) for forecast in served],
            next_page_token=listing.token(run, shown[-1] if more else None),
            forecast_run=convert.message_of_run(run),
        )

    async def StreamForecasts(
        self, request: pb.StreamForecastsRequest, context: Context
    ) -> AsyncIterator[pb.StreamForecastsResponse]:
        place, run = parent_store(request.parent), await self._run(None)
        after: tuple[str, str] | None = None
        while True:
            # A short transaction for each message: whoever reads slowly holds up nothing.
            async with self._database.transaction() as session:
                store = ForecastStore(session)
                found = await store.by_name(run, place, after, BATCH)
                # Asked afterwards: what has been read by then cannot have been dropped before.
                if not await store.keeps(run):
                    raise RunGone("Newer runs took the place of this one. Begin again.")
                served = await _changed(session, run, found)
            yield pb.StreamForecastsResponse(
                forecasts=[convert.message_of_forecast(run, forecast) for forecast in served],
                forecast_run=convert.message_of_run(run),
            )
            if len(found) < BATCH:
                return
            after = (found[-1].store, found[-1].sku)

    async def GetDemandTotal(
        self, request: pb.GetDemandTotalRequest, context: Context
    ) -> pb.GetDemandTotalResponse:
        store, sku = convert.series_from(request.name)
        async with self._database.transaction() as session:
            run = await _run_of(ForecastStore(session), None)
            periods = convert_totals.periods_from(request, run)
            found = await ForecastStore(session).find(run, store, sku)
            if found is None:
                raise _never_sold(store, sku)
            cumulative = await TotalStore(session).cumulative(run, store, sku)
            (served,) = await _changed(session, run, [found])
        total = total_of(run, served, cumulative, periods)
        message = convert_totals.message_of_total(run, request.name, total)
        return pb.GetDemandTotalResponse(total=message)

    async def ListAggregates(
        self, request: pb.ListAggregatesRequest, context: Context
    ) -> pb.ListAggregatesResponse:
        page = convert_totals.level_page_from(request)
        number = int(page.after[0]) if page.after else None
        after = (float(page.after[1]), str(page.after[2])) if page.after else None
        async with self._database.transaction() as session:
            run = await _run_of(ForecastStore(session), number)
            totals = TotalStore(session)
            found = await totals.aggregates(run, request.level, after, page.size + 1)
        shown, more = found[: page.size], len(found) > page.size
        last = (run.number, shown[-1].horizon_mean, shown[-1].name) if more else None
        return pb.ListAggregatesResponse(
            aggregates=[
                convert_totals.message_of_aggregate(run, request.level, group) for group in shown
            ],
            next_page_token=page.token(last),
            forecast_run=convert.message_of_run(run),
        )

    async def ListTrendingProducts(
        self, request: pb.ListTrendingProductsRequest, context: Context
    ) -> pb.ListTrendingProductsResponse:
        page = convert.trends_page_from(request)
        number, rank = (int(part) for part in page.after) if page.after else (None, 0)
        run = await self._run(number)

        async def read() -> bytes:
            async with self._database.transaction() as session:
                found = await ForecastStore(session).trends(run, rank, page.size + 1)
            shown, more = found[: page.size], len(found) > page.size
            return pb.ListTrendingProductsResponse(
                trending_products=[convert.message_of_trend(trend) for trend in shown],
                next_page_token=page.token((run.number, shown[-1].rank) if more else None),
            ).SerializeToString()

        key = f"trends:{run.id}:{rank}+{page.size}"
        kept = await self._cache.get_or_make(key, read, ttl_seconds=KEPT_SECONDS)
        return pb.ListTrendingProductsResponse.FromString(kept)

    async def _run(self, number: int | None) -> Run:
        async with self._database.transaction() as session:
            return await _run_of(ForecastStore(session), number)


def _never_sold(store: str, sku: str) -> ForecastNotFound:
    return ForecastNotFound(f"{sku} never sold in {store}.", store=store, sku=sku)


async def _run_of(store: ForecastStore, number: int | None) -> Run:
    """The current run, or the kept one of that number: pages never mix runs."""
    runs = await store.kept_runs()
    if number is None:
        return runs[0]
    for run in runs:
        if run.number == number:
            return run
    raise refusal("page_token", convert.STALE)


async def _changed(
    session: AsyncSession, run: Run, forecasts: list[SeriesForecast]
) -> list[Served]:
    """As they are served: with what planners changed."""
    series = [(forecast.store, forecast.sku) for forecast in forecasts]
    found = await OverrideStore(session).applied(run, series)
    return [apply(run, forecast, found.get(forecast[:2], [])) for forecast in forecasts]


async def _forecasts(
    store: ForecastStore, run: Run, listing: convert.Listing
) -> list[SeriesForecast]:
    after, limit = listing.page.after, listing.page.size + 1
    if listing.by_units:
        best = None if after is None else (float(after[1]), str(after[2]), str(after[3]))
        return await store.by_units(run, listing.store, best, limit)
    name = None if after is None else (str(after[1]), str(after[2]))
    return await store.by_name(run, listing.store, name, limit)
