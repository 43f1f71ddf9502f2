"""Totals of groups as rows: in order, page by page, and gone with their run."""

from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.forecast.domain.forecasts import KEPT_RUNS
from services.forecast.domain.totals import NoTotals
from services.forecast.shards.sums import Group
from services.forecast.stores.totals import TotalStore
from tests.store.forecast.support import HOME
from tests.store.forecast.test_runs import store_run


@pytest.fixture
def tenant_id() -> UUID:
    return uuid4()


def group(level: str, name: str, units: float) -> Group:
    spread = np.array([[0.0, 1.0, 1.0], [units, units, 2 * units], [9.0, 9.0, 15.0]])
    return Group(level, name, np.array([units / 2, units / 2]), spread)


async def test_groups_come_largest_first_and_ties_in_order_of_name(
    database: Database, tenant_id: UUID
) -> None:
    run = await store_run(database, tenant_id, 1)
    units = {"b": 1.0, "a": 1.0, "": 1 / 3, "z\\'": 4.0}
    groups = [group("store", name, each) for name, each in units.items()]
    async with database.transaction_of(HOME, tenant_id) as session:
        store = TotalStore(session)
        with pytest.raises(NoTotals):
            await store.aggregates(run, "store", None, 2)
        await store.add(run.id, [group("total", "total", 6.0), *groups])
    seen: list[str] = []
    after = None
    async with database.transaction_of(HOME, tenant_id) as session:
        while page := await TotalStore(session).aggregates(run, "store", after, 2):
            seen += [each.name for each in page]
            after = (page[-1].horizon_mean, page[-1].name)
        (whole,) = await TotalStore(session).aggregates(run, "total", None, 2)
    assert seen == ["z\\'", "a", "b", ""]
    assert (whole.mean, whole.horizon_mean) == ([3.0, 3.0], 6.0)
    assert (whole.spread.p50, whole.horizon_spread) == ([6.0, 6.0], (1.0, 12.0, 15.0))
    async with database.transaction_of(HOME, uuid4()) as session:
        with pytest.raises(NoTotals):
            await TotalStore(session).aggregates(run, "store", None, 2)


async def test_totals_go_with_their_run(database: Database, tenant_id: UUID) -> None:
    runs = []
    for number in range(1, KEPT_RUNS + 2):
        runs.append(await store_run(database, tenant_id, number))
        async with database.transaction_of(HOME, tenant_id) as session:
            await TotalStore(session).add(runs[-1].id, [group("total", "total", 1.0)])
    await store_run(database, tenant_id, KEPT_RUNS + 2)
    async with database.transaction_of(HOME, tenant_id) as session:
        left = set(await session.scalars(text("SELECT run_id FROM forecast_aggregate")))
    assert left == {run.id for run in runs[2:]}


async def test_cumulative_quantiles_are_read_of_their_series(
    database: Database, tenant_id: UUID
) -> None:
    run = await store_run(database, tenant_id, 1)
    async with database.transaction_of(HOME, tenant_id) as session:
        found = await TotalStore(session).cumulative(run, "berlin", "A")
    assert found == ([0.0, 0.0], [0.0, 1.0], [2.0, 3.0])
