import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import plan_service_pb2 as plan_pb
from hemline.forecast.v1 import plan_service_pb2_grpc as plan_grpc
from hemline.forecast.v1 import stock_day_service_pb2 as stock_pb
from hemline.forecast.v1 import stock_day_service_pb2_grpc as stock_grpc

from cli.importing import from_inventory
from tests.api.cli.conftest import Desk

USER = ("--user", "a@b.example", "--json")
TODAY = datetime.now(UTC).date()


async def answer(desk: Desk, *words: object) -> dict[str, Any]:
    done = await desk.types("import", *words, *USER)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)["answer"]
    return found


async def test_promotions_are_known_from_the_day_that_was_said(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("style,start,end,off\nshirt,2026-01-01,2026-01-09,0.3\n")
    words = ("promotions", path, "--known-at", "2025-12-01")
    assert await answer(desk, *words) == {
        "lines": 1, "new_lines": 1, "changed_lines": 0, "known_lines": 0,
    }  # fmt: skip
    path.write_text(path.read_text().replace("0.3", "40%"))
    assert (await answer(desk, "promotions", path))["changed_lines"] == 1
    with desk.channel() as channel:
        stub = plan_grpc.PlanServiceStub(channel)

        def discounts(as_of: datetime | None) -> list[float]:
            request = plan_pb.ListPromotionsRequest()
            if as_of:
                request.as_of.FromDatetime(as_of)
            return [each.discount_share for each in stub.ListPromotions(request).promotions]

        for as_of, found in (
            (None, [0.4]),
            (datetime(2026, 1, 1, tzinfo=UTC), [0.3]),
            (datetime(2025, 11, 30, tzinfo=UTC), []),
        ):
            assert await asyncio.to_thread(discounts, as_of) == found


async def test_a_plan_that_the_service_refuses_is_shown_with_its_row_and_column(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "promo,style,first day,last day,off\n"
        "A,shirt,2026-12-01,2026-12-09,0.3\nA,shirt,2026-12-01,2026-12-24,0.3\n"
    )
    refused = await desk.types("import", "promotions", path, "--user", "a@b.example")
    assert refused.exit_code == 1
    assert "row 3, column last day: differs from an earlier line for the same" in refused.output


async def test_attributes_and_calendars_arrive(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sku,style,size\nshirt-m,shirt,M\nshirt-l,shirt,L\n")
    assert (await answer(desk, "attributes", path))["new_values"] == 4
    done = await desk.types("import", "attributes", path, "--user", "a@b.example")
    assert "0 values are new, 0 replace another, 4 were known." in done.stdout
    path.write_text("shop,country\nberlin,DE\n")
    assert (await answer(desk, "attributes", path, "--of", "store"))["new_values"] == 1
    path.write_text("name,date,shop,closed\nFair,2026-12-01,berlin,yes\n")
    assert (await answer(desk, "calendar", path))["new_lines"] == 1
    words = ("--country", "DE", "--from", "2025-01-01", "--to", "2026-01-01", *USER[:2])
    done = await desk.types("import", "calendar", *words)
    assert "10 lines are new, 0 replace another, 0 were known." in done.stdout
    with desk.channel() as channel:
        stub = attributes_grpc.AttributeServiceStub(channel)
        page = await asyncio.to_thread(stub.ListAttributes, attributes_pb.ListAttributesRequest())
    assert [each.code for each in page.attributes] == ["SHIRT-L", "SHIRT-M"]


async def test_stock_days_come_from_a_file_or_from_the_inventory(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_inventory, "sign_in", lambda _email: desk)
    path = tmp_path / "s.csv"
    path.write_text(f"store,sku,date,on hand\nberlin,shirt-m,{TODAY},9\n")
    assert (await answer(desk, "stock-days", path))["new_lines"] == 1
    path.write_text("store,sku,qty,style,colour,size\nberlin,shirt-m,3,shirt,navy,M\n")
    assert (await answer(desk, "stock", path))["movements"] == 1
    first = TODAY - timedelta(days=60)
    words = ("stock-days", "--from-inventory", "--from", first, "--to", TODAY)
    counts = {"lines": 1, "new_lines": 0, "changed_lines": 0, "known_lines": 0}
    assert await answer(desk, *words) == counts | {"changed_lines": 1}
    assert await answer(desk, *words) == counts | {"known_lines": 1}
    with desk.channel() as channel:
        stub = stock_grpc.StockDayServiceStub(channel)
        page = await asyncio.to_thread(stub.ListStockDays, stock_pb.ListStockDaysRequest())
    assert [(day.stock_date, day.on_hand_units) for day in page.stock_days] == [(str(TODAY), 3)]
    dry = await desk.types("import", *words, "--user", "a@b.example", "--dry-run")
    assert "1 lines of the inventory; " in dry.stdout
    assert "Nothing was sent" in dry.stdout


async def test_attributes_come_from_the_catalogue(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_inventory, "sign_in", lambda _email: desk)
    nothing = await desk.types("import", "attributes", "--from-inventory", "--user", "a@b.example")
    assert "0 lines of the inventory." in nothing.stdout
    path = tmp_path / "s.csv"
    path.write_text(
        "store,sku,qty,style,colour,size,category\n"
        "berlin,shirt-m,3,shirt,navy,M,tops\nrome,hat-1,1,hat,red,ONE,\n"
    )
    await answer(desk, "stock", path)
    done = await answer(desk, "attributes", "--from-inventory")
    assert (done["values"], done["new_values"]) == (7, 7)
    with desk.channel() as channel:
        stub = attributes_grpc.AttributeServiceStub(channel)
        page = await asyncio.to_thread(stub.ListAttributes, attributes_pb.ListAttributesRequest())
    hat, shirt = page.attributes
    assert dict(hat.attributes) == {"style": "hat", "colour": "red", "size": "ONE"}
    assert (shirt.code, shirt.attributes["category"]) == ("SHIRT-M", "tops")
