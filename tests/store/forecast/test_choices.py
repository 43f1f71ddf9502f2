"""The sizes of a choice are found by what SKUs are, in one store of one run of one tenant."""

import re
from collections.abc import Mapping
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from services.chassis.tenancy import TenantId
from services.forecast.domain.explanations import MOST_SIZES, Size
from services.forecast.domain.forecasts import Run
from services.forecast.jobs.tenant_data import TenantData
from services.forecast.stores.choices import SIZES, sizes_of
from services.forecast.stores.partitions import SERIES, ensure
from services.forecast.stores.runs import RunStore
from tests.store.forecast.support import HOME
from tests.store.forecast.test_runs import run_of

Attributes = Mapping[str, str]
STATE = b"\x01\x02"
NAVY = {"style": "shirt", "colour": "navy"}
CHOICE = {f"NAVY-{size}": NAVY | {"size": size} for size in "SML"}
OTHERS = {
    "WHITE-M": {"style": "shirt", "colour": "white", "size": "M"},
    "COAT-M": {"style": "coat", "colour": "navy", "size": "M"},
    "NAVY": NAVY,
    "STYLELESS": {"colour": "navy", "size": "M"},
    "COLOURLESS": {"style": "shirt", "size": "M"},
}


@pytest.fixture
def tenant_id() -> UUID:
    return uuid4()


async def knows(session: AsyncSession, found: Mapping[str, Attributes]) -> None:
    rows = [
        {"code": code, "attribute": attribute, "value": value}
        for code, attributes in found.items()
        for attribute, value in attributes.items()
    ]
    statement = "INSERT INTO attribute (subject, code, attribute, value) VALUES ('sku', "
    await session.execute(text(statement + ":code, :attribute, :value)"), rows)


async def forecasts(session: AsyncSession, run: Run, *series: tuple[str, str]) -> None:
    """Adds series of stores and SKUs, each with the state `STATE`."""
    line = "\t".join(["1", *["{1}"] * 7, "plain", f"\\\\x{STATE.hex()}"]).encode()
    names = [(store, sku, sku) for store, sku in series]
    await RunStore(session).add_series(run.id, 3, names, b"\n".join([line] * len(names)))


async def stored(
    database: Database, tenant_id: UUID, found: Mapping[str, Attributes], *stores: str
) -> Run:
    """A run with a series of each SKU in each of ``stores``."""
    run = run_of(1)
    data = TenantData(database, HOME, TenantId(tenant_id))
    async with data.transaction() as session:
        await ensure(session, SERIES, run.id)
    async with data.transaction() as session:
        await knows(session, found)
        await forecasts(session, run, *((store, sku) for store in stores for sku in found))
    return run


async def test_sizes_are_of_one_style_colour_and_store(database: Database, tenant_id: UUID) -> None:
    run = await stored(database, tenant_id, CHOICE | OTHERS, "berlin", "paris")
    async with database.transaction_of(HOME, tenant_id) as session:
        await forecasts(session, run, ("rome", "NAVY-M"))
        assert await sizes_of(session, run, "rome", "NAVY-M") == []
        found = await sizes_of(session, run, "berlin", "NAVY-M")
        assert found == [Size(f"NAVY-{size}", size, 3, STATE) for size in "LMS"]
        for sku in OTHERS:
            assert await sizes_of(session, run, "berlin", sku) == []
        assert await sizes_of(session, run_of(2), "berlin", "NAVY-M") == []


async def test_what_comes_in_one_size_has_nothing_to_compare_with(
    database: Database, tenant_id: UUID
) -> None:
    twice = {code: NAVY | {"size": "M"} for code in ("NAVY-M", "NAVY-M-OLD")}
    run = await stored(database, tenant_id, twice, "berlin")
    async with database.transaction_of(HOME, tenant_id) as session:
        assert await sizes_of(session, run, "berlin", "NAVY-M") == []


async def test_another_tenants_sizes_never_count(database: Database, tenant_id: UUID) -> None:
    run = await stored(database, tenant_id, {"NAVY-M": CHOICE["NAVY-M"]}, "berlin")
    other = uuid4()
    theirs = await stored(database, other, CHOICE, "berlin")
    async with database.transaction_of(HOME, tenant_id) as session:
        assert await sizes_of(session, run, "berlin", "NAVY-M") == []
        assert await sizes_of(session, theirs, "berlin", "NAVY-M") == []
    async with database.transaction_of(HOME, other) as session:
        assert len(await sizes_of(session, theirs, "berlin", "NAVY-M")) == 3


async def test_what_has_too_many_sizes_is_no_choice(database: Database, tenant_id: UUID) -> None:
    most = {f"NAVY-{at}": NAVY | {"size": str(at)} for at in range(MOST_SIZES)}
    run = await stored(database, tenant_id, most, "berlin")
    async with database.transaction_of(HOME, tenant_id) as session:
        assert len(await sizes_of(session, run, "berlin", "NAVY-1")) == MOST_SIZES
        await knows(session, {"NAVY-X": NAVY | {"size": "X"}})
        await forecasts(session, run, ("berlin", "NAVY-X"))
        assert await sizes_of(session, run, "berlin", "NAVY-1") == []


async def test_sizes_are_read_from_indexes(
    database: Database, tenant_id: UUID, server: Postgres
) -> None:
    many = {
        f"S{at:05}": {"style": f"s{at // 12}", "colour": f"c{at // 4 % 3}", "size": str(at % 4)}
        for at in range(3_000)
    }
    run = await stored(database, tenant_id, many, "berlin")
    with psycopg.connect(server.owner_url("forecast"), autocommit=True) as owner:
        owner.execute("ANALYZE attribute, forecast_series")
    values = {"run": run.id, "store": "berlin", "style": "s8", "colour": "c1", "most": 65}
    async with database.transaction_of(HOME, tenant_id) as session:
        assert len(await sizes_of(session, run, "berlin", "S00100")) == 4
        plan = "\n".join(await session.scalars(text(f"EXPLAIN {SIZES}"), values))
    used = re.findall(r"using (\w+) on", re.sub("_[0-9a-f]{32}", "", plan))
    assert set(used) == {"attribute_styles", "attribute_pkey", "forecast_series_pkey"}
    assert not any(word in plan for word in ("Seq Scan", "Sort"))
