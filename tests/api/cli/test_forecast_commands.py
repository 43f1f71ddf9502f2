"""`hemline override`, and what `hemline forecast` says of why and of fashion, on the service."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import pytest

from cli import forecast_why
from tests.api.cli.conftest import Desk
from tests.api.cli.test_job_commands import USER, answer, imports, said

SERIES = ("berlin", "SKU-2")


def day(cutoff: str, ahead: int) -> str:
    return (date.fromisoformat(cutoff) + timedelta(days=ahead)).isoformat()


async def test_a_forecast_is_explained_tried_under_another_plan_and_overridden(
    desk: Desk, tmp_path: Path
) -> None:
    await imports(desk)
    run = (await answer(desk, "forecast", "run", "--horizon-days", 7))["cutoff_date"]
    out = await said(desk, "forecast", "explain", *SERIES)
    assert "units are expected" in out
    assert "level" in out
    path = tmp_path / "sizes.csv"
    path.write_text("sku,style,colour,size\nSKU-1,coat,navy,S\nSKU-2,coat,navy,M\n")
    await said(desk, "import", "attributes", path)
    out = await said(desk, "forecast", "explain", *SERIES)
    assert ("Size M sells 1." in out, "size share" in out) == (True, True)
    tried = await answer(desk, "forecast", "what-if", *SERIES, "--no-promotion")
    assert len(tried["simulated"]["days"]) == 7
    for wrong in ("nan", "much"):
        refused = await desk.types("forecast", "what-if", *SERIES, "--price", wrong, *USER)
        assert (refused.exit_code, "--price is no number" in refused.stderr) == (1, True)
    said_of = ("--store", "berlin", "--sku", "sku-2", "--reason", "a fair")
    days = ("--from", day(run, 1), "--to", day(run, 2))
    made = await answer(desk, "override", "create", *said_of, *days, "--units", 40)
    assert made["total_units"] == 40
    forecast = await answer(desk, "forecast", "get", *SERIES)
    assert sum(each["mean_units"] for each in forecast["days"][:2]) == pytest.approx(40)
    assert made["name"] in await said(desk, "override", "list", "--active")
    assert "No override is over yet" in await said(desk, "override", "summary")
    assert "no longer counts" in await said(desk, "override", "delete", made["name"])
    assert "taken back" in await said(desk, "override", "list")


async def test_a_plan_is_tried_on_all_days_of_a_weekly_run(desk: Desk) -> None:
    await imports(desk)
    job = await answer(desk, "job", "create", "--period", "week", "--horizon", 2)
    await said(desk, "job", "watch", job["name"])
    run = (await answer(desk, "forecast", "list"))["forecast_run"]["cutoff_date"]

    def horizon() -> tuple[str, str]:
        with desk.channel() as channel:
            return forecast_why.horizon(channel)

    assert await asyncio.to_thread(horizon) == (day(run, 1), day(run, 14))
    found = await answer(desk, "forecast", "what-if", *SERIES, "--no-promotion")
    assert [each["date"] for each in found["simulated"]["days"]] == [day(run, 7), day(run, 14)]


async def test_trends_best_sellers_and_new_products_are_shown(desk: Desk, tmp_path: Path) -> None:
    await imports(desk)
    out = await said(desk, "forecast", "trends", "--by", "product", "--store", "berlin")
    assert "product-0" in out
    popular = (await answer(desk, "forecast", "popular", "--days", 28))["products"]
    assert [one["rank"] for one in popular] == [1, 2, 3]
    path = tmp_path / "sizes.csv"
    path.write_text("sku,size\nSKU-1,M\n")
    await said(desk, "import", "attributes", path)
    words = ("--attribute", "category=coat", "--like", "product-1=2", "--weeks", 4)
    new = await answer(desk, "forecast", "new", *words)
    assert {one["store"] for one in new["forecasts"]} == {"berlin", "paris"}
    out = await said(desk, "forecast", "new", *words)
    assert ("Learnt from" in out, "By size" in out) == (True, True)
