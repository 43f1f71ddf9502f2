"""How fast results are read: what-if inside the service, and `GetForecast` beside a no-op."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from types import SimpleNamespace
from uuid import UUID

import numpy as np
from hemline.forecast.v1 import forecast_service_pb2 as pb
from hemline.forecast.v1 import forecast_service_pb2_grpc as pb_grpc
from hemline.inventory.v1 import inventory_service_pb2 as stock_pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as stock_grpc

from services.chassis.database import Database
from services.chassis.server import Served
from services.forecast.answers.what_if import Shared, what_if
from services.forecast.stores.forecasts import ForecastStore
from tests.support.api import Api

HOME = "eu-central-1"
AT_ONCE = 16
CALLS = 2_000
ROUNDS = 5
WHAT_IFS = 500


def no_op() -> Served:
    """A method that answers with nothing, after all that is done around any call."""

    async def answer(_request: object, _context: object) -> stock_pb.GetStockLevelResponse:
        return stock_pb.GetStockLevelResponse()

    descriptor = stock_pb.DESCRIPTOR.services_by_name["InventoryService"]
    nothing = SimpleNamespace(**{method.name: answer for method in descriptor.methods})
    return Served(descriptor, stock_grpc.add_InventoryServiceServicer_to_server, nothing)


async def read_ratio(running: Api, tenant_id: UUID) -> dict[str, float]:
    """Calls a second of both, in turns, over one channel; the median of the rounds' ratios.

    Needs forecasts of the tenant; the 200 of most units are read.
    """
    forecasts = pb_grpc.ForecastServiceStub(running.channel)
    stock = stock_grpc.InventoryServiceStub(running.channel)
    metadata = running.as_tenant(tenant_id)
    listing = pb.ListForecastsRequest(page_size=200, order_by="horizon_mean_units desc")
    listed = await forecasts.ListForecasts(listing, metadata=metadata)
    requests = [pb.GetForecastRequest(name=forecast.name) for forecast in listed.forecasts]
    nothing = stock_pb.GetStockLevelRequest(name="stores/s/levels/S")

    async def read(number: int) -> None:
        await forecasts.GetForecast(requests[number % len(requests)], metadata=metadata)

    async def idle(_number: int) -> None:
        await stock.GetStockLevel(nothing, metadata=metadata)

    # The first round fills Redis and is dropped.
    rounds = [(await _rate(read), await _rate(idle)) for _ in range(ROUNDS + 1)][1:]
    return {
        "read_ratio": round(median(one / two for one, two in rounds), 3),
        "get_forecast_per_second": round(median(one for one, _ in rounds)),
        "no_op_per_second": round(median(two for _, two in rounds)),
    }


async def _rate(call: Callable[[int], Awaitable[None]]) -> float:
    async def work(worker: int) -> None:
        for number in range(worker, CALLS, AT_ONCE):
            await call(number)

    started = time.perf_counter()
    await asyncio.gather(*(work(worker) for worker in range(AT_ONCE)))
    return CALLS / (time.perf_counter() - started)


async def what_if_ms(database: Database, tenant_id: UUID) -> dict[str, float]:
    """Milliseconds from stored state to another forecast: computing alone, and with the read.

    The state of what a shard's series share is kept by the service; a series' own is read anew.
    """
    shared: dict[int, Shared] = {}
    computing, all_of_it = [], []
    async with database.transaction_of(HOME, tenant_id) as session:  # type: ignore[arg-type]
        store = ForecastStore(session)
        run = (await store.kept_runs())[0]
        for each in await store.by_units(run, None, None, WHAT_IFS):
            started = time.perf_counter()
            found = await store.state(run, each.store, each.sku)
            if found is None:
                raise RuntimeError(f"{each.store}/{each.sku} has no state")
            shard, own, mean = found
            if shard not in shared:
                shared[shard] = Shared.from_bytes(await store.shared_state(run, shard))
            begun = time.perf_counter()
            state = shared[shard].state(own)
            changed = {name: np.ones(state.ahead) for name in state.columns}
            what_if(state, np.array(mean), changed)
            ended = time.perf_counter()
            computing.append(ended - begun)
            all_of_it.append(ended - started)
    return {
        "what_if_p50_ms": round(median(computing) * 1e3, 3),
        "what_if_with_read_p50_ms": round(median(all_of_it) * 1e3, 3),
        "what_ifs": len(computing),
    }
