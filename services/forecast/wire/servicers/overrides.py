"""The override API on the wire. Translates; decides nothing."""

from datetime import date
from typing import Any

import grpc.aio
from hemline.forecast.v1 import override_service_pb2 as pb
from hemline.forecast.v1 import override_service_pb2_grpc as pb_grpc
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.cache import Cache
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.forecast.domain.forecasts import NoRun
from services.forecast.overrides import Overrides
from services.forecast.stores.forecasts import ForecastStore
from services.forecast.stores.overrides import OverrideStore
from services.forecast.wire import newest
from services.forecast.wire.convert import overrides as convert

Context = grpc.aio.ServicerContext[Any, Any]


class OverrideServicer(pb_grpc.OverrideServiceServicer):
    def __init__(self, database: Database, cache: Cache, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._overrides = Overrides(database, cache, clock)

    async def CreateOverride(
        self, request: pb.CreateOverrideRequest, context: Context
    ) -> pb.CreateOverrideResponse:
        made = await self._overrides.create(convert.wish_from(request))
        return pb.CreateOverrideResponse(override=convert.message_of_override(made))

    async def GetOverride(
        self, request: pb.GetOverrideRequest, context: Context
    ) -> pb.GetOverrideResponse:
        found = await self._overrides.get(convert.override_id_from(request.name))
        return pb.GetOverrideResponse(override=convert.message_of_override(found))

    async def ListOverrides(
        self, request: pb.ListOverridesRequest, context: Context
    ) -> pb.ListOverridesResponse:
        page = convert.page_of_overrides(request)
        after = newest.after_from(page)
        async with self._database.transaction() as session:
            active = await _cutoff(session) if request.only_active else None
            found = await OverrideStore(session).newest(after, active, page.size + 1)
        shown, more = found[: page.size], len(found) > page.size
        return pb.ListOverridesResponse(
            overrides=[convert.message_of_override(override) for override in shown],
            next_page_token=newest.token_after(page, shown[-1] if more else None),
        )

    async def DeleteOverride(
        self, request: pb.DeleteOverrideRequest, context: Context
    ) -> pb.DeleteOverrideResponse:
        found = await self._overrides.delete(convert.deleted_from(request))
        return pb.DeleteOverrideResponse(override=convert.message_of_override(found))

    async def SummarizeOverrides(
        self, request: pb.SummarizeOverridesRequest, context: Context
    ) -> pb.SummarizeOverridesResponse:
        start = convert.summary_start_from(request, self._clock().date())
        found = await self._overrides.summary(start)
        return pb.SummarizeOverridesResponse(
            overrides=found.overrides,
            better=found.better,
            score=convert.message_of_score(found.score),
        )


async def _cutoff(session: AsyncSession) -> date:
    """The last day that the current run has seen."""
    try:
        return (await ForecastStore(session).kept_runs())[0].cutoff_date
    except NoRun:
        return date.min
