"""The command line against the real forecast and inventory services, without edges between."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import grpc
import pytest
import pytest_asyncio
import structlog
import typer
from click.testing import Result
from pydantic import SecretStr
from typer.testing import CliRunner

from cli import (
    forecast,
    forecast_totals,
    forecast_trends,
    forecast_why,
    importing,
    job,
    override,
    season,
    season_load,
    stock,
)
from cli.importing import run as import_run
from cli.session import _Bearer
from services.chassis.cache import Cache
from services.chassis.clock import utc_now
from services.chassis.database import Database
from services.forecast.jobs.requests import Jobs
from services.forecast.jobs.runner import Runner
from services.forecast.jobs.steps import Steps
from services.forecast.server import served as forecast_served
from services.forecast.server import working
from services.forecast.shards.worker import Processes
from services.inventory.server import served as inventory_served
from tests.store.forecast.support import HOME, forecast_postgres
from tests.store.forecast.support import open_database as open_forecast_database
from tests.store.inventory.support import inventory_postgres
from tests.store.inventory.support import open_database as open_inventory_database
from tests.support import servers
from tests.support.api import Api, api


@pytest.fixture(scope="session")
def databases() -> Iterator[tuple[Database, Database]]:
    with forecast_postgres() as of_forecast, inventory_postgres() as of_inventory:
        yield open_forecast_database(of_forecast), open_inventory_database(of_inventory)


@pytest_asyncio.fixture(scope="session")
async def running(databases: tuple[Database, Database]) -> AsyncIterator[Api]:
    """Both services on one loopback port."""
    of_forecast, of_inventory = databases
    with servers.redis() as redis_url:
        cache = Cache(SecretStr(redis_url))
        steps = Steps(utc_now, Processes(), cache, uuid4())
        runner = Runner(of_forecast, HOME, utc_now, steps, slots=1)
        async with working(runner):
            jobs = Jobs(of_forecast, utc_now, runner.wake)
            parts = (
                *forecast_served(of_forecast, cache, utc_now, jobs),
                *inventory_served(of_inventory, utc_now),
            )
            async with api(parts) as started:
                yield started
        await cache.close()
    await of_forecast.close()
    await of_inventory.close()


class Desk:
    """Someone of one tenant, at a terminal."""

    def __init__(self, running: Api, tenant_id: UUID) -> None:
        (_, header), *_ = running.as_tenant(tenant_id)
        self._token = header.removeprefix("Bearer ")
        self._address = running.address
        self._app = typer.Typer(pretty_exceptions_enable=False)
        for module in (importing, season, forecast, job, override, stock):
            module.register(self._app)

    @contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        with grpc.insecure_channel(self._address) as channel:
            yield grpc.intercept_channel(channel, _Bearer(lambda: self._token))

    async def types(self, *words: object) -> Result:
        """Runs `hemline` with these words. The services answer on this loop meanwhile."""
        arguments = [str(word) for word in words]
        return await asyncio.to_thread(CliRunner().invoke, self._app, arguments)


@pytest.fixture
def desk(running: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Signed in already: what the sign-in provider does is tested with the local world."""
    # The services log from the same process, and must not write into the command's output.
    logging = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    made = Desk(running, uuid4())
    of_forecasts = (forecast, forecast_totals, forecast_trends, forecast_why, override)
    for module in (import_run, season_load, *of_forecasts, job, stock):
        monkeypatch.setattr(module, "sign_in", lambda _email: made)
    yield made
    structlog.configure(**logging)
