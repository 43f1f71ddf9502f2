"""The explanation API on the wire. Translates and opens the transaction; decides nothing."""

from typing import Any
from uuid import UUID

import grpc.aio
from hemline.forecast.v1 import explanation_service_pb2 as pb
from hemline.forecast.v1 import explanation_service_pb2_grpc as pb_grpc
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database import Database
from services.forecast.answers.explanations import explain, simulate
from services.forecast.answers.what_if import Shared
from services.forecast.domain.explanations import NoState
from services.forecast.domain.forecasts import ForecastNotFound, Run, SeriesForecast
from services.forecast.domain.overrides import Served, apply
from services.forecast.engine.promo import PromoState
from services.forecast.stores.choices import sizes_of
from services.forecast.stores.forecasts import ForecastStore
from services.forecast.stores.overrides import OverrideStore
from services.forecast.wire.convert import explanations as convert
from services.forecast.wire.convert.forecasts import message_of_forecast, series_from

Context = grpc.aio.ServicerContext[Any, Any]

MOST_KEPT = 64
"""Shared states, of all tenants: some 100 kB each."""


class ExplanationServicer(pb_grpc.ExplanationServiceServicer):
    def __init__(self, database: Database) -> None:
        self._database = database
        self._shared: dict[tuple[UUID, int], Shared] = {}  # Of run and shard: they never change.

    async def ExplainForecast(
        self, request: pb.ExplainForecastRequest, context: Context
    ) -> pb.ExplainForecastResponse:
        series = series_from(request.name)
        async with self._database.transaction() as session:
            run, forecast, state = await self._stored(session, series)
            applied = await OverrideStore(session).applied(run, [series])
            sizes = await sizes_of(session, run, *series)
            store = ForecastStore(session)
            choice = [await self._state(store, run, each.shard, each.state) for each in sizes]
        served = apply(run, forecast, applied.get(series, []))
        size = next((each.size for each in sizes if each.sku == forecast.sku), "")
        periods = explain(state, served, choice)
        explained = convert.message_of_explanation(run, served, periods, size)
        return pb.ExplainForecastResponse(explanation=explained)

    async def SimulateForecast(
        self, request: pb.SimulateForecastRequest, context: Context
    ) -> pb.SimulateForecastResponse:
        series, changes = series_from(request.name), convert.changes_from(request)
        async with self._database.transaction() as session:
            run, forecast, state = await self._stored(session, series)
        convert.check_days(changes, run)
        simulated, notes = simulate(state, run, forecast, changes)
        planned, tried = (Served(each, each.mean, ()) for each in (forecast, simulated))
        return pb.SimulateForecastResponse(
            planned=message_of_forecast(run, planned),
            simulated=message_of_forecast(run, tried),
            difference_units=simulated.horizon_mean_units - sum(forecast.mean),
            notes=notes,
        )

    async def _stored(
        self, session: AsyncSession, series: tuple[str, str]
    ) -> tuple[Run, SeriesForecast, PromoState]:
        """The current run's forecast of a series, and what it has learnt of it."""
        store = ForecastStore(session)
        run = (await store.kept_runs())[0]
        forecast = await store.find(run, *series)
        if forecast is None:
            place, sku = series
            raise ForecastNotFound(f"{sku} never sold in {place}.", store=place, sku=sku)
        found = await store.state(run, *series)
        if found is None:
            raise NoState("This run keeps nothing to explain it by. Create a forecast run.")
        shard, own, _ = found
        return run, forecast, await self._state(store, run, shard, own)

    async def _state(self, store: ForecastStore, run: Run, shard: int, own: bytes) -> PromoState:
        """The state of one series, from its ``own`` bytes."""
        key = (run.id, shard)
        if key not in self._shared:
            if len(self._shared) >= MOST_KEPT:
                self._shared.pop(next(iter(self._shared)))
            self._shared[key] = Shared.from_bytes(await store.shared_state(run, shard))
        return self._shared[key].state(own)
