from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from services.chassis.database import Database
from services.forecast.domain.facts import AttributeValue, StockDay
from services.forecast.domain.forecasts import Extent
from services.forecast.domain.imports import Batch, Imported
from services.forecast.domain.panels import WHOLE, Shard, ShardKey, View
from services.forecast.domain.plans import CalendarLine, PromotionLine
from services.forecast.domain.sales import SalesLine
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.imports import import_lines
from services.forecast.panels.read import Read
from services.forecast.postgres.import_sql import (
    ATTRIBUTES,
    CALENDAR,
    PROMOTIONS,
    STOCK_DAYS,
    Target,
)
from services.forecast.stores.history import measure
from services.forecast.stores.lines import KeyedStore
from services.forecast.stores.panel import read_panel, read_panels
from services.forecast.stores.sales import SalesStore
from tests.store.forecast.support import FIRST_DAY, HOME, batch, line

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class History:
    """A tenant's database, as the engine reads it."""

    def __init__(self, database: Database, tenant_id: UUID) -> None:
        self.database = database
        self.tenant_id = tenant_id

    async def sells(self, *lines: SalesLine) -> None:
        async def arriving() -> AsyncIterator[Batch[SalesLine]]:
            yield batch(*(each._replace(row=at, document=f"R-{at}") for at, each in numbered))

        numbered = list(enumerate(lines, start=1))
        async with self.database.transaction_of(HOME, self.tenant_id) as session:
            await import_lines(uuid4(), arriving(), store=SalesStore(session), now=NOW)

    async def plans(self, target: Target, known_time: datetime | None, *lines: Any) -> Imported:
        async def arriving() -> AsyncIterator[Batch[Any]]:
            yield Batch(uuid4(), lines, (), 0)

        async with self.database.transaction_of(HOME, self.tenant_id) as session:
            store = KeyedStore(session, target, now=NOW, known_time=known_time)
            return await import_lines(uuid4(), arriving(), store=store, now=NOW)

    async def reads_of(self, extent: Extent, period: Period = Period.DAY) -> Read:
        async with self.database.transaction_of(HOME, self.tenant_id) as session:
            return await read_panel(session, extent, 7, period)

    async def reads(
        self,
        period: Period = Period.DAY,
        horizon: int = 7,
        shard: Shard = WHOLE,
        view: View = View(),  # noqa: B008 - frozen
    ) -> Read:
        async with self.database.transaction_of(HOME, self.tenant_id) as session:
            extent = await measure(session)
            assert extent is not None
            return await read_panel(session, extent, horizon, period, shard, view)


@pytest.fixture
def history(database: Database) -> History:
    return History(database, uuid4())


def sold(day: int, units: int = 1, **changed: object) -> SalesLine:
    changed.setdefault("unit_price_micros", 10_000_000)
    return line(1, sale_date=FIRST_DAY + timedelta(days=day), units=units, **changed)


def stocked(day: int, units: int, sku: str = "SHIRT-M") -> StockDay:
    return StockDay(1, "berlin", sku, FIRST_DAY + timedelta(days=day), units)


async def test_days_hold_sums_and_series_begin_with_their_first_sale(history: History) -> None:
    await history.sells(
        sold(0, 2), sold(0, 1), sold(3, 4), sold(3, -1), sold(2, 5, sku="COAT-L", product="coat")
    )
    read = await history.reads()
    assert [(each.store, each.sku, each.product) for each in read.names.series] == [
        ("berlin", "COAT-L", "coat"),
        ("berlin", "SHIRT-M", "shirt/navy"),
    ]
    np.testing.assert_array_equal(read.panel.units, [[np.nan, np.nan, 5, 0], [3, 0, 0, 3]])
    assert read.panel.dates.size == 4 + 7
    assert read.panel.dates[0] == np.datetime64(FIRST_DAY)
    np.testing.assert_array_equal(read.panel.weights, [50.0, 70.0])


async def test_a_day_on_which_more_came_back_than_went_sold_nothing(history: History) -> None:
    await history.sells(sold(0, 3), sold(1, -2))
    read = await history.reads()
    np.testing.assert_array_equal(read.panel.units, [[3, 0]])


async def test_weeks_are_whole_and_end_on_the_day_asked_for(history: History) -> None:
    # Monday to the Wednesday of the third week.
    await history.sells(*(sold(day, day + 1) for day in range(17)))
    sundays = (await history.reads(Period.WEEK, 2)).panel
    np.testing.assert_array_equal(sundays.units, [[sum(range(1, 8)), sum(range(8, 15))]])
    assert sundays.dates.tolist() == [FIRST_DAY + timedelta(days=6 + 7 * week) for week in range(4)]
    tuesdays = (await history.reads(Period.WEEK, 2, view=View(week_end=1))).panel
    np.testing.assert_array_equal(tuesdays.units, [[sum(range(3, 10)), sum(range(10, 17))]])
    assert tuesdays.dates[0] == np.datetime64(FIRST_DAY + timedelta(days=8))


async def test_months_are_whole(history: History) -> None:
    await history.sells(sold(0), *(sold(day, 10) for day in range(30, 60)), sold(61), sold(110))
    months = (await history.reads(Period.MONTH, 3)).panel
    np.testing.assert_array_equal(months.units, [[300, 1]])
    ends = [date(2026, 4, 30), date(2026, 5, 31)]
    assert months.dates.tolist()[:2] == ends


async def test_a_history_shorter_than_a_period_is_one(history: History) -> None:
    await history.sells(sold(1, 2), sold(3, 3))
    week = (await history.reads(Period.WEEK, 4)).panel
    np.testing.assert_array_equal(week.units, [[5]])
    assert week.ahead == 4


@pytest.mark.parametrize("key", list(ShardKey))
async def test_every_series_is_in_one_shard_and_its_key_is_not_torn(
    history: History, key: ShardKey
) -> None:
    lines = [
        sold(sku % 5, store=store, sku=f"SKU-{sku}", product=f"product-{sku // 2}")
        for sku in range(40)
        for store in ("a", "b", "c", "d")
    ]
    # A product that was renamed in one store alone does not tear its SKU apart.
    lines.append(sold(6, store="a", sku="SKU-0", product="product-19"))
    await history.sells(*lines)
    whole = await history.reads()
    parts = [await history.reads(shard=Shard(index, 3, key)) for index in range(3)]
    assert sorted(name for part in parts for name in part.names.series) == whole.names.series
    at = 0 if key is ShardKey.STORE else 1
    keys = [{name[at] for name in part.names.series} for part in parts]
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert len([part for part in parts if part.names.series]) > 1
    for part in parts:
        rows = [whole.names.series.index(name) for name in part.names.series]
        np.testing.assert_array_equal(part.panel.units, whole.panel.units[rows])


@pytest.mark.parametrize("key", list(ShardKey))
@pytest.mark.parametrize("skus_in_stock", [(), ("SKU-1", "NEW")])
async def test_one_pass_reads_every_shard_as_it_is_read_alone(
    history: History, key: ShardKey, skus_in_stock: tuple[str, ...]
) -> None:
    stores = ("berlin", "b", "c", "d")
    await history.sells(
        *(
            sold(day, 1 + (day * sku) % 3, store=store, sku=f"SKU-{sku}", product=f"p-{sku // 2}")
            for sku in range(12)
            for store in stores
            for day in (sku % 3, 9, 20)
        )
    )
    levels = [(2, 4), (9, 0), (10, 4)]
    for sku in skus_in_stock:
        await history.plans(STOCK_DAYS, None, *(stocked(day, left, sku) for day, left in levels))
    views = [View(), View(as_of=NOW - timedelta(days=9))]
    promotion = PromotionLine(
        1, "spring", "-", "all", "", FIRST_DAY, FIRST_DAY, "markdown", 0.5, None, cancelled=False
    )
    await history.plans(PROMOTIONS, None, promotion)
    shards = [Shard(index, 3, key) for index in range(3)]
    async with history.database.transaction_of(HOME, history.tenant_id) as session:
        extent = await measure(session)
        assert extent is not None
        seen = []
        async for shard, reads in read_panels(session, extent, 2, Period.WEEK, shards, views):
            # Whoever reads may write what was read before the next arrives.
            assert await measure(session) == extent
            seen.append((shard, reads))
    assert len(seen) > 1
    for shard in shards:
        for at, view in enumerate(views):
            alone = await history.reads(Period.WEEK, 2, shard, view)
            found = [reads[at] for each, reads in seen if each == shard]
            if not found:
                assert alone.names.series == []
                continue
            assert found[0].names == alone.names
            same(found[0].panel, alone.panel)


def same(one: Panel, other: Panel) -> None:
    for name in ("dates", "units", "exposure", "weights"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("known", "static"):
        assert set(getattr(one, name)) == set(getattr(other, name))
        for column, values in getattr(one, name).items():
            np.testing.assert_array_equal(values, getattr(other, name)[column])


async def test_codes_stand_for_their_names(history: History) -> None:
    await history.sells(sold(0, store="b"), sold(0, store="a"), sold(0, sku="X", product="x"))
    read = await history.reads()
    for at, name in enumerate(("store", "sku", "product")):
        meant = [read.names.static[name][code] for code in read.panel.static[name]]
        assert meant == [series[at] for series in read.names.series]


async def test_tenants_are_never_mixed(history: History, database: Database) -> None:
    await history.sells(sold(0, 3))
    other = History(database, uuid4())
    await other.sells(sold(0, 5), sold(1, sku="OTHER"))
    assert [name.sku for name in (await history.reads()).names.series] == ["SHIRT-M"]
    np.testing.assert_array_equal((await history.reads()).panel.units, [[3]])


async def test_a_plan_is_read_as_it_was_known(history: History) -> None:
    await history.sells(*(sold(day) for day in range(14)))
    line = PromotionLine(
        1, "spring", "-", "product", "shirt/navy", FIRST_DAY + timedelta(days=15),
        FIRST_DAY + timedelta(days=16), "markdown", 0.5, None, cancelled=False,
    )  # fmt: skip
    early, late = NOW - timedelta(days=30), NOW - timedelta(days=10)
    await history.plans(PROMOTIONS, early, line)
    await history.plans(PROMOTIONS, late, line._replace(discount_share=0.2))
    await history.plans(PROMOTIONS, NOW, line._replace(cancelled=True))

    async def known(as_of: datetime | None) -> dict[str, np.ndarray]:
        return dict((await history.reads(view=View(as_of=as_of))).panel.known)

    assert set(await known(early - timedelta(seconds=1))) == {"price", "regular_price"}
    first = await known(early)
    np.testing.assert_allclose(first["price"][0][13:17], [10, 10, 5, 5])
    np.testing.assert_allclose(first["promotion_markdown"][0][13:18], [0, 0, 1, 1, 0])
    np.testing.assert_allclose((await known(late))["discount_markdown"][0].max(), 0.2)
    assert set(await known(None)) == {"price", "regular_price"}


async def test_what_is_known_in_advance_is_left_out_if_nobody_asks_for_it(
    history: History,
) -> None:
    await history.sells(sold(0, 3), sold(2, 1))
    assert (await history.reads()).panel.known
    read = await history.reads(view=View(ahead=False))
    assert not read.panel.known
    np.testing.assert_array_equal(read.panel.units, [[3, 0, 1]])


async def test_prices_paid_after_the_moment_are_not_known(history: History) -> None:
    await history.sells(*(sold(day) for day in range(7)), sold(8, unit_price_micros=4_000_000))
    start, end = (FIRST_DAY + timedelta(days=day) for day in (9, 9))
    await history.plans(
        PROMOTIONS,
        NOW - timedelta(days=365),
        PromotionLine(1, "b", "-", "all", "", start, end, "markdown", 0.5, None, cancelled=False),
    )
    moment = datetime.combine(FIRST_DAY + timedelta(days=7), datetime.min.time(), UTC)
    then = (await history.reads(view=View(as_of=moment))).panel.known["price"][0]
    np.testing.assert_allclose(then[:11], [*[10] * 9, 5, 10])
    now = (await history.reads()).panel.known["price"][0]
    np.testing.assert_allclose(now[:11], [*[10] * 8, 4, 2, 4])


async def test_attributes_are_codes_and_reach_promotions_and_shards(history: History) -> None:
    await history.sells(sold(0), sold(1, sku="COAT-L", product="coat"), sold(2, store="rome"))
    await history.plans(
        ATTRIBUTES,
        None,
        AttributeValue(1, "sku", "SHIRT-M", "style", "shirt"),
        AttributeValue(2, "store", "rome", "region", "south"),
    )
    await history.plans(
        CALENDAR,
        None,
        CalendarLine(1, "patron-saint", "rome", FIRST_DAY, FIRST_DAY, closed=True, cancelled=False),
    )
    read = await history.reads()
    meant = {
        name: [read.names.static[name][code] for code in codes]
        for name, codes in read.panel.static.items()
    }
    assert meant["style"] == ["", "shirt", "shirt"]
    assert meant["store_region"] == ["", "", "south"]
    assert read.panel.known["closed"].sum(axis=1).tolist() == [0, 0, 1]


async def test_empty_shelves_hide_days_from_the_panel(history: History) -> None:
    await history.sells(*(sold(day, 3) for day in range(21)), sold(27, 3, sku="OTHER"))
    days = [(0, 50), (20, 0), (27, 0)]
    await history.plans(STOCK_DAYS, None, *(stocked(day, units) for day, units in days))
    read = (await history.reads(Period.WEEK, 2)).panel
    assert read.exposure is not None
    row = 1  # After OTHER, by SKU.
    np.testing.assert_allclose(read.exposure[row], [1, 1, 1, 0])
    assert read.units[row][2] > 21
    np.testing.assert_allclose(read.units[row][:2], [21, 21])
    assert (await history.reads()).panel.exposure is not None


async def test_what_was_stocked_but_never_sold_is_read_in_its_shard(history: History) -> None:
    await history.sells(*(sold(day) for day in range(14)))
    await history.plans(STOCK_DAYS, None, *(stocked(3, 5, sku=f"NEW-{at}") for at in range(20)))
    whole = await history.reads(Period.WEEK, 1)
    assert len(whole.names.series) == 21
    parts = [await history.reads(Period.WEEK, 1, Shard(index, 3)) for index in range(3)]
    assert sorted(name for part in parts for name in part.names.series) == whole.names.series
    assert all(part.names.series for part in parts)


async def test_nothing_after_the_extent_is_read(history: History) -> None:
    await history.sells(*(sold(day) for day in range(28)))
    await history.plans(STOCK_DAYS, None, stocked(0, 5), stocked(20, 0), stocked(27, 5))
    cut = Extent(FIRST_DAY, FIRST_DAY + timedelta(days=13), 1)
    read = await history.reads_of(cut)
    np.testing.assert_array_equal(read.panel.units, np.ones((1, 14)))
    np.testing.assert_array_equal(read.panel.exposure, np.ones((1, 14)))
