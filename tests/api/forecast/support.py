"""A planner who calls the forecast service over gRPC."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc.aio
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hemline.forecast.v1 import forecast_service_pb2 as pb
from hemline.forecast.v1 import (
    forecast_service_pb2_grpc,
    job_service_pb2_grpc,
    sales_service_pb2_grpc,
)
from hemline.forecast.v1 import sales_service_pb2 as sales_pb

from services.chassis.cache import Cache
from services.chassis.clock import utc_now
from services.chassis.database import Database
from services.forecast.jobs.requests import Jobs
from services.forecast.jobs.runner import Runner
from services.forecast.jobs.steps import Steps
from services.forecast.server import served, working
from services.forecast.shards.compute import compute
from services.forecast.shards.data import Task
from services.forecast.shards.executor import Executor, WorkFailed
from services.forecast.shards.worker import Processes
from tests.store.forecast.support import HOME
from tests.support.api import Api, api

FIRST_DAY = date(2026, 3, 2)  # A Monday.


class Breakable(Processes):
    """Fails while ``broken`` is set, and waits while it is held.

    Computes in a thread, which begins sooner than a process, unless told otherwise.
    """

    broken = False
    in_processes = False

    def __init__(self) -> None:
        super().__init__()
        self._free = asyncio.Event()
        self._free.set()

    async def run(self, task: bytes) -> bytes:
        await self._free.wait()
        if self.broken:
            raise WorkFailed
        if self.in_processes:
            return await super().run(task)
        return await asyncio.to_thread(lambda: compute(Task.from_bytes(task)).to_bytes())

    @contextmanager
    def held(self) -> Iterator[None]:
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()


@asynccontextmanager
async def working_api(database: Database, cache: Cache, executor: Executor) -> AsyncIterator[Api]:
    """The service's server, and the runner that does its jobs."""
    steps = Steps(utc_now, executor, cache, uuid4())
    runner = Runner(database, HOME, utc_now, steps, slots=1)
    async with (
        working(runner),
        api(served(database, cache, utc_now, Jobs(database, utc_now, runner.wake))) as started,
    ):
        yield started


class Planner:
    def __init__(self, running: Api, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.metadata = running.as_tenant(tenant_id)
        self.forecasts = forecast_service_pb2_grpc.ForecastServiceStub(running.channel)
        self.jobs = job_service_pb2_grpc.JobServiceStub(running.channel)
        self.sales = sales_service_pb2_grpc.SalesServiceStub(running.channel)

    async def imports(
        self,
        lines: Sequence[sales_pb.SalesLine],
        request_id: str | None = None,
        lines_per_message: int = 1_000,
    ) -> sales_pb.ImportSalesResponse:
        name = str(uuid4()) if request_id is None else request_id

        async def messages() -> AsyncIterator[sales_pb.ImportSalesRequest]:
            for start in range(0, max(len(lines), 1), lines_per_message):
                part = lines[start : start + lines_per_message]
                yield sales_pb.ImportSalesRequest(request_id=name if start == 0 else "", lines=part)

        return await self.sales.ImportSales(messages(), metadata=self.metadata)

    async def runs(self, horizon_days: int = 14, request_id: str | None = None) -> pb.ForecastRun:
        request = pb.CreateForecastRunRequest(
            horizon_days=horizon_days, request_id=request_id or str(uuid4())
        )
        answer = await self.forecasts.CreateForecastRun(request, metadata=self.metadata)
        return answer.forecast_run

    async def gets(self, name: str) -> pb.Forecast:
        request = pb.GetForecastRequest(name=name)
        return (await self.forecasts.GetForecast(request, metadata=self.metadata)).forecast

    async def lists(self, **fields: Any) -> pb.ListForecastsResponse:
        request = pb.ListForecastsRequest(**fields)
        return await self.forecasts.ListForecasts(request, metadata=self.metadata)

    async def trends(self, **fields: Any) -> pb.ListTrendingProductsResponse:
        request = pb.ListTrendingProductsRequest(**fields)
        return await self.forecasts.ListTrendingProducts(request, metadata=self.metadata)


def sales_line(row: int = 1, /, **changed: Any) -> sales_pb.SalesLine:
    good = {
        "row": row,
        "document": f"R-{row}",
        "store": "berlin",
        "sku": "SHIRT-M",
        "product": "shirt/navy",
        "sale_date": FIRST_DAY.isoformat(),
        "units": 1,
        "unit_price_micros": 19_900_000,
    }
    return sales_pb.SalesLine(**{**good, **changed})


def season(days: int = 84, skus: int = 4, seed: int = 7) -> list[sales_pb.SalesLine]:
    """Two stores' Poisson sales, closed on Sundays; in the last 28 days SKU-0 sells threefold."""
    random = np.random.default_rng(seed)
    lines = []
    for day in range(days):
        today = FIRST_DAY + timedelta(days=day)
        if today.weekday() == 6:
            continue
        for store in ("berlin", "paris"):
            for sku in range(skus):
                growth = 3 if sku == 0 and day >= days - 28 else 1
                units = int(random.poisson((sku + 1) * growth))
                if units:
                    lines.append(
                        sales_line(
                            len(lines) + 1,
                            store=store,
                            sku=f"SKU-{sku}",
                            product=f"product-{sku}",
                            sale_date=today.isoformat(),
                            units=units,
                        )
                    )
    return lines


async def refused(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, dict[str, str], list[str]]:
    """Returns the code, reason, metadata and fields at fault of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        for message in (info, bad):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    fields = [violation.field for violation in bad.field_violations]
    return caught.value.code(), info.reason, dict(info.metadata), fields
