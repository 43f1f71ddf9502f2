from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.chassis.tenancy import serving
from services.inventory import store_stock_days
from services.inventory.domain import Reason, StockDay, StockPeriod, StoreId
from services.inventory.domain_catalog import Store
from services.inventory.store_stock_days import StockDayStore
from tests.store.inventory.support import BERLIN, OSLO, SHIRT_L, SHIRT_M, Retailer

MONDAY = date(2026, 2, 2)


async def days_of(retailer: Retailer, first: int, last: int, store: StoreId | None = None) -> Any:
    """(store, SKU, day from Monday, units) of a period, part by part."""
    period = StockPeriod(MONDAY + timedelta(days=first), MONDAY + timedelta(days=last))
    found: Sequence[StockDay]
    all_days, after = [], None
    while True:
        with serving(retailer.caller):
            async with retailer.database.transaction() as session:
                found, after = await StockDayStore(session).part(store, period, after)
        all_days += [(*day[:2], (day.stock_date - MONDAY).days, day.on_hand_units) for day in found]
        if after is None:
            return all_days


async def move(retailer: Retailer, day: int, units: int, hour: int = 12, **changed: Any) -> None:
    moment = datetime(2026, 2, 2, hour, tzinfo=UTC) + timedelta(days=day)
    reason = Reason.RECEIPT if units > 0 else Reason.SALE
    await retailer.move(units, reason=reason, occur_time=moment, **changed)


async def test_days_end_with_the_sum_of_what_has_moved(retailer: Retailer) -> None:
    await move(retailer, 0, 10)
    await move(retailer, 1, -2)
    await move(retailer, 1, -3)
    await move(retailer, 4, -5)
    assert await days_of(retailer, 0, 4) == [
        (BERLIN, SHIRT_M, 0, 10),
        (BERLIN, SHIRT_M, 1, 5),
        (BERLIN, SHIRT_M, 4, 0),
    ]


async def test_the_first_day_has_what_was_left_of_the_days_before(retailer: Retailer) -> None:
    await move(retailer, 0, 10)
    await move(retailer, 1, -4)
    await move(retailer, 6, 1)
    assert await days_of(retailer, 3, 5) == [(BERLIN, SHIRT_M, 3, 6)]


async def test_a_late_scan_counts_on_the_day_it_tells_of(retailer: Retailer) -> None:
    await move(retailer, 0, 10)
    await move(retailer, 5, -1)
    await move(retailer, 2, -4)
    assert await days_of(retailer, 0, 5) == [
        (BERLIN, SHIRT_M, 0, 10),
        (BERLIN, SHIRT_M, 2, 6),
        (BERLIN, SHIRT_M, 5, 5),
    ]


async def test_a_day_on_which_more_went_than_had_come_ends_with_nothing(retailer: Retailer) -> None:
    await move(retailer, 3, 10)
    await move(retailer, 1, -4)
    assert await days_of(retailer, 0, 3) == [(BERLIN, SHIRT_M, 1, 0), (BERLIN, SHIRT_M, 3, 6)]


async def test_a_day_begins_at_midnight_of_its_store(retailer: Retailer) -> None:
    tokyo = StoreId("tokyo")
    await retailer.create_store(Store(tokyo, "Tokyo", "Asia/Tokyo"))
    await move(retailer, 0, 1, hour=16)
    await move(retailer, 0, 1, hour=16, store=tokyo)
    assert await days_of(retailer, 0, 3) == [(BERLIN, SHIRT_M, 0, 1), (tokyo, SHIRT_M, 1, 1)]


async def test_parts_join_without_a_gap(
    retailer: Retailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for store in (BERLIN, OSLO):
        for sku in (SHIRT_M, SHIRT_L):
            await move(retailer, 0, 3, store=store, sku=sku)
            await move(retailer, 2, -1, store=store, sku=sku)
    whole = await days_of(retailer, 0, 5)
    assert len(whole) == 8
    for series in (1, 2, 3, 4):
        monkeypatch.setattr(store_stock_days, "SERIES_PER_PART", series)
        assert await days_of(retailer, 0, 5) == whole
    assert [day[:1] for day in await days_of(retailer, 0, 0, OSLO)] == [(OSLO,), (OSLO,)]


async def test_another_tenants_stock_is_not_read(retailer: Retailer) -> None:
    await move(retailer, 0, 10)
    other = Retailer(retailer.database, retailer.server)
    assert await days_of(other, 0, 5) == []
