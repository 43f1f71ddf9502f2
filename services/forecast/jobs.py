"""Making a run: read in one transaction, compute in none, store in another."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import numpy as np

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import RequestIdReused
from services.forecast import worker
from services.forecast.domain import (
    MOST_CELLS,
    NoSales,
    Run,
    RunInProgress,
    RunRequest,
    SeriesForecast,
    Trend,
    check_size,
)
from services.forecast.history import Result
from services.forecast.models import tsb_calendar
from services.forecast.panel import Floats
from services.forecast.store_history import Names, Sales, measure, read_sales
from services.forecast.store_runs import RunStore

LEASE = timedelta(seconds=120)
"""Longer than a call may take. Only a lease that its holder could not give back runs out."""
RUNS_AT_ONCE = 1  # In this process, of all tenants: each may take a whole core.


class Jobs:
    def __init__(self, database: Database, clock: Clock, most_cells: int = MOST_CELLS) -> None:
        self._database = database
        self._clock = clock
        self._most_cells = most_cells
        self._turns = asyncio.Semaphore(RUNS_AT_ONCE)

    async def create_run(self, request: RunRequest) -> Run:
        """Forecasts the caller's series and makes the result the current run.

        No transaction is open while the engine works. A lease keeps a tenant's runs apart instead;
        it ends with the run, whatever happens, or runs out.

        Raises:
            NoSales: there is nothing to learn from.
            HistoryTooLarge: there is more to learn from than fits into memory.
            RunInProgress: another run of the tenant holds the lease.
            RequestIdReused: the request_id belongs to a run with another horizon.
        """
        earlier = await self._earlier(request)
        if earlier is not None:
            return earlier
        holder = uuid4()
        await self._take_lease(holder)
        try:
            async with self._turns:
                sales = await self._sales(request.horizon_days)
                result = await worker.compute(sales.history, request.horizon_days)
            return await self._store(request, holder, sales, result)
        except BaseException:
            # Also when the caller has gone away: the next run should not wait for the lease's end.
            await asyncio.shield(self._end_lease(holder))
            raise

    async def _earlier(self, request: RunRequest) -> Run | None:
        async with self._database.transaction() as session:
            run = await RunStore(session).find_by_request(request.request_id)
        if run is not None and run.request != request:
            raise RequestIdReused(request.request_id)
        return run

    async def _take_lease(self, holder: UUID) -> None:
        now = self._clock()
        async with self._database.transaction() as session:
            taken = await RunStore(session).take_lease(holder, now=now, until=now + LEASE)
        if not taken:
            raise RunInProgress("Another forecast run is under way. Retry when it has ended.")

    async def _end_lease(self, holder: UUID) -> None:
        async with self._database.transaction() as session:
            await RunStore(session).end_lease(holder)

    async def _sales(self, horizon_days: int) -> Sales:
        async with self._database.transaction() as session:
            extent = await measure(session)
            if extent is None:
                raise NoSales("There are no sales to learn from. Import the history first.")
            # Before any of it is read: this process serves other tenants, too.
            check_size(extent, horizon_days, self._most_cells)
            return await read_sales(session, extent)

    async def _store(self, request: RunRequest, holder: UUID, sales: Sales, result: Result) -> Run:
        async with self._database.transaction() as session:
            store = RunStore(session)
            if not await store.end_lease(holder):
                raise RunInProgress("The run took so long that another one has begun.")
            run = Run(
                id=uuid4(),
                number=await store.next_number(),
                request=request,
                cutoff_date=sales.history.cutoff_date,
                series=len(sales.names.series),
                model=tsb_calendar.NAME,
                coverage=result.coverage,
                wape=result.wape,
                create_time=self._clock(),
            )
            await store.add(run, _forecasts(sales.names, result), _trends(sales.names, result))
        return run


def _forecasts(names: Names, result: Result) -> Iterator[SeriesForecast]:
    means = _stored(result.mean)
    quantiles = [_stored(values) for values in result.quantiles]
    for at, (store, sku, product) in enumerate(names.series):
        p10, p50, p90 = (values[at].tolist() for values in quantiles)
        total = float(result.mean[:, at].sum())
        yield SeriesForecast(store, sku, product, total, means[at].tolist(), p10, p50, p90)


def _stored(values: Floats) -> np.ndarray:
    """As single precision, which is what is kept, a row a series."""
    return values.T.astype(np.float32)


def _trends(names: Names, result: Result) -> Iterator[Trend]:
    found = result.trends
    for at, product in enumerate(found.product.tolist()):
        yield Trend(
            rank=at + 1,
            product=names.products[product],
            growth_ratio=float(found.growth[at]),
            growth_ratio_p10=float(found.growth_p10[at]),
            recent_units=int(found.recent_units[at]),
            previous_units=int(found.previous_units[at]),
        )
