"""What an older version stored is read by this one."""

from datetime import date
from uuid import UUID, uuid4

import psycopg
from alembic import command
from alembic.config import Config
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis import migrate
from services.chassis.database import Database
from services.forecast.stores.forecasts import ForecastStore
from services.forecast.stores.partitions import partitions
from services.forecast.stores.turns import turn
from tests.store.forecast.support import HOME
from tests.support import servers

RUN = """
INSERT INTO forecast_run (number, run_id, request_id, horizon_days, cutoff_date, series, model,
    coverage, wape, create_time) VALUES (%s, %s, %s, 2, '2026-05-31', 1, 'old', 0.8, 0.5, now())
"""
FORECAST = """
INSERT INTO forecast VALUES
    (DEFAULT, %s, 'berlin', 'A', 'p', 1.5, '{0.5,1}', '{0,0}', '{0,1}', '{2,3}')
"""
IMPORT = "INSERT INTO sales_import VALUES (DEFAULT, %s, '', 1, 1, now())"


def upgrade(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SERVICES / "forecast" / "migrations"))
    config.attributes["owner_url"] = url
    command.upgrade(config, revision)


def fill(server: Postgres, tenant_id: UUID, runs: list[UUID]) -> None:
    """As the service's role did: the newest three runs have forecasts."""
    with psycopg.connect(server.app_url("forecast")) as connection:
        connection.execute("SELECT set_config('hemline.tenant_id', %s, true)", (str(tenant_id),))
        connection.execute(IMPORT, (uuid4(),))
        for number, run in enumerate(runs, start=1):
            connection.execute(RUN, (number, run, uuid4()))
            if number > len(runs) - 3:
                connection.execute(FORECAST, (number,))


async def test_the_last_runs_of_every_tenant_are_read_after_the_migration() -> None:
    tenants = {uuid4(): [uuid4() for _ in range(count)] for count in (4, 1)}
    with servers.postgres() as server:
        server.provision("forecast")
        upgrade(server.owner_url("forecast"), "0002")
        for tenant_id, runs in tenants.items():
            fill(server, tenant_id, runs)
        migrate.upgrade("forecast", server.owner_url("forecast"))
        database = Database({HOME: SecretStr(server.app_url("forecast"))}, traced=False)
        for tenant_id, runs in tenants.items():
            async with database.transaction_of(HOME, tenant_id) as session:  # type: ignore[arg-type]
                store = ForecastStore(session)
                kept = await store.kept_runs()
                assert [run.id for run in kept] == runs[:-4:-1]
                assert kept[0].cutoff_date == date(2026, 5, 31)
                for run in kept:
                    found = await store.find(run, "berlin", "A")
                    assert found is not None
                    assert (found.mean, found.p90) == ([0.5, 1.0], [2.0, 3.0])
                assert {key for _, key in await partitions(session)} == {run.id for run in kept}
                assert await turn(session) is not None
        await database.close()
