"""What may be done with overrides."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.cache import Cache
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import RequestIdReused
from services.chassis.tenancy import current_caller
from services.forecast.domain.forecasts import ForecastNotFound
from services.forecast.domain.overrides import (
    MOST_ACTIVE,
    MOST_SERIES,
    Override,
    OverrideNotFound,
    Score,
    Summary,
    TooManyOverrides,
    Wish,
    steps_of,
    summary_of,
)
from services.forecast.fields import refusal
from services.forecast.stores.forecasts import ForecastStore
from services.forecast.stores.history import edition
from services.forecast.stores.overrides import OverrideStore

KEPT_SECONDS = 3600


class Overrides:
    def __init__(self, database: Database, cache: Cache, clock: Clock) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock

    async def create(self, wish: Wish) -> Override:
        """Makes an override of what the current run forecasts.

        Raises:
            NoRun: there is nothing to override.
            InvalidArgument: the days reach beyond those that are forecast.
            ForecastNotFound: nothing is forecast for the subject.
            TooManyOverrides: the tenant has too many of days to come, or of too many series.
            RequestIdReused: the request_id belongs to another override.
        """
        async with self._changing() as session:
            store = OverrideStore(session)
            earlier = await store.find_by_request(wish.request_id)
            if earlier is not None:
                if earlier.wish != wish:
                    raise RequestIdReused(wish.request_id)
                return earlier
            run = (await ForecastStore(session).kept_runs())[0]
            steps = steps_of(run, wish.start_date, wish.end_date)
            if steps is None:
                first = run.cutoff_date + timedelta(days=1)
                last = run.cutoff_date + timedelta(days=run.request.horizon_days)
                whole = ", and hold the last day of a week" if run.period_days > 1 else ""
                rule = f"its days must lie within those forecast, {first} to {last}{whole}."
                raise refusal("override.start_date", rule)
            if await store.count_active(run.cutoff_date) >= MOST_ACTIVE:
                raise TooManyOverrides(
                    f"There are {MOST_ACTIVE} overrides of days to come. Delete some of them."
                )
            made = Override(
                uuid4(), wish, current_caller().user_id, self._clock(), None, system_units=0.0
            )
            series, _ = await store.add(made, run, steps)
            if not series:
                raise ForecastNotFound("Nothing is forecast for that subject.")
            if await store.count_series(run.cutoff_date) > MOST_SERIES:
                raise TooManyOverrides(
                    f"Overrides of days to come would be about more than {MOST_SERIES} series. "
                    "Delete some of them, or name a smaller subject."
                )
            return await self._existing(store, made.id)

    async def get(self, override_id: UUID) -> Override:
        """Raises OverrideNotFound."""
        async with self._database.transaction() as session:
            return await self._existing(OverrideStore(session), override_id)

    async def delete(self, override_id: UUID) -> Override:
        """Takes an override back. Raises OverrideNotFound."""
        async with self._changing() as session:
            store = OverrideStore(session)
            await self._existing(store, override_id)
            await store.delete(override_id, self._clock())
            return await self._existing(store, override_id)

    async def summary(self, start: date) -> Summary:
        """What overrides of days from ``start`` on were worth.

        It looks at every one, so it is kept; the key says which overrides and imports there were.
        """
        async with self._database.transaction() as session:
            said = f"{await edition(session)}:{await OverrideStore(session).edition()}"

        async def make() -> bytes:
            async with self._database.transaction() as session:
                found = await OverrideStore(session).over_since(start)
            return json.dumps(summary_of([each.score for each in found if each.score])).encode()

        key = f"summary:{said}:{start}"
        kept = await self._cache.get_or_make(key, make, ttl_seconds=KEPT_SECONDS)
        overrides, better, score = json.loads(kept)
        return Summary(overrides, better, Score(*score))

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncSession]:
        """A transaction after which no forecast is read from the cache as it was before."""
        async with (
            self._cache.changing(current_caller().tenant_id),
            self._database.transaction() as session,
        ):
            yield session

    @staticmethod
    async def _existing(store: OverrideStore, override_id: UUID) -> Override:
        found = await store.find(override_id)
        if found is None:
            raise OverrideNotFound("No such override. ListOverrides names them.")
        return found
