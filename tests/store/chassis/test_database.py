"""Transactions on real PostgreSQL: whose rows, which errors, and what spans tell of them."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import psycopg
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from deploy.local.postgres import Postgres
from services.chassis.database import Database, DatabaseUnavailable, RaceLost
from services.chassis.scrub import ScrubbingExporter, exception_frames
from services.chassis.tenancy import TenantId, serving
from tests.support import servers
from tests.support.tokens import caller

TABLE = """
CREATE TABLE thing (tenant_id uuid DEFAULT current_setting('hemline.tenant_id')::uuid,
                    name text, PRIMARY KEY (tenant_id, name));
ALTER TABLE thing ENABLE ROW LEVEL SECURITY;
ALTER TABLE thing FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON thing
    USING (tenant_id = nullif(current_setting('hemline.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON thing TO probe_app;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with servers.postgres() as running:
        running.provision("probe")
        with psycopg.connect(running.owner_url("probe")) as connection:
            connection.execute(TABLE)
        yield running


@pytest.fixture(scope="module")
async def database(server: Postgres) -> AsyncIterator[Database]:
    opened = Database({"eu-central-1": SecretStr(server.app_url("probe"))})
    yield opened
    await opened.close()


async def names(database: Database, tenant_id: TenantId | None) -> list[str]:
    async with database.transaction_of("eu-central-1", tenant_id) as session:
        return list((await session.execute(text("SELECT name FROM thing"))).scalars())


async def add(database: Database, name: str) -> None:
    async with database.transaction() as session:
        await session.execute(text("INSERT INTO thing (name) VALUES (:name)"), {"name": name})


async def test_a_tenant_sees_its_own_rows_and_nobody_elses(database: Database) -> None:
    ours, theirs = caller(), caller()
    with serving(ours):
        await add(database, "ours")
    assert await names(database, ours.tenant_id) == ["ours"]
    assert await names(database, theirs.tenant_id) == []
    assert await names(database, None) == []


async def test_a_home_without_an_engine_is_out_of_reach(database: Database) -> None:
    with serving(caller(home_region="us-east-1")), pytest.raises(DatabaseUnavailable):
        await add(database, "x")


async def test_a_race_is_aborted_and_rolled_back(database: Database) -> None:
    someone = caller()
    with serving(someone):
        await add(database, "twice")
        with pytest.raises(RaceLost):
            await add(database, "twice")
    assert await names(database, someone.tenant_id) == ["twice"]


async def test_a_server_that_is_gone_is_unavailable() -> None:
    port = servers.free_port()
    gone = Database({"eu-central-1": SecretStr(f"postgresql://a:b@127.0.0.1:{port}/c")})
    with serving(caller()), pytest.raises(DatabaseUnavailable) as refusal:
        await add(gone, "x")
    assert str(port) not in str(refusal.value)


async def test_neither_span_nor_log_repeats_what_the_driver_says(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ScrubbingExporter(exported)))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    SQLAlchemyInstrumentor().uninstrument()
    database = Database({"eu-central-1": SecretStr(server.app_url("probe"))})
    secret = f"canary-{uuid4()}"
    with pytest.raises(DBAPIError, match=secret) as bug:  # PostgreSQL does say it.
        async with database.transaction_of("eu-central-1", None) as session:
            await session.execute(text("SELECT CAST(:name AS uuid)"), {"name": secret})
    await database.close()
    spans = exported.get_finished_spans()
    assert any(span.status.status_code is StatusCode.ERROR for span in spans)
    assert secret not in " ".join(span.to_json() for span in spans)
    logged = exception_frames(None, "error", {"exc_info": (bug.type, bug.value, bug.tb)})
    assert secret not in str(logged)
    assert logged["exception"] == "DataError"
