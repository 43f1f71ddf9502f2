"""`hemline job` and the totals of `hemline forecast`, against the real service."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hemline.forecast.v1 import sales_service_pb2 as sales_pb
from hemline.forecast.v1 import sales_service_pb2_grpc as sales_grpc

from tests.api.cli.conftest import Desk
from tests.api.forecast.support import FIRST_DAY, season

USER = ("--user", "a@b.example")
DAYS, SKUS = 84, 3


async def said(desk: Desk, *words: object) -> str:
    done = await desk.types(*words, *USER)
    assert done.exit_code == 0, done.output
    return done.stdout


async def answer(desk: Desk, *words: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await said(desk, *words, "--json"))
    return found


async def imports(desk: Desk) -> None:
    def messages() -> Iterator[sales_pb.ImportSalesRequest]:
        lines = season(days=DAYS, skus=SKUS)
        yield sales_pb.ImportSalesRequest(request_id=str(uuid4()), lines=lines[:1000])
        for start in range(1000, len(lines), 1000):
            yield sales_pb.ImportSalesRequest(lines=lines[start : start + 1000])

    def call() -> None:
        with desk.channel() as channel:
            sales_grpc.SalesServiceStub(channel).ImportSales(messages())

    await asyncio.to_thread(call)


async def test_a_job_is_begun_watched_and_found_again(desk: Desk, tmp_path: Path) -> None:
    refused = await desk.types("job", "create", *USER)
    assert refused.exit_code == 1
    assert "NO_SALES" in refused.stderr
    await imports(desk)
    job = await answer(desk, "job", "create", "--horizon", 7)
    assert job["spec"]["kind"] == "JOB_KIND_FORECAST"
    out = await said(desk, "job", "watch", job["name"])
    assert f"{job['name']}: forecast of 7 days, light, succeeded." in out
    assert "6 series seen until" in out
    assert f"Next: hemline forecast list {' '.join(USER)}" in out
    listed = await said(desk, "job", "list")
    assert job["name"] in listed
    assert "succeeded" in listed
    over = await desk.types("job", "cancel", job["name"], *USER)
    assert over.exit_code == 1
    assert "JOB_ENDED" in over.stderr
    await totals_are_shown(desk)
    await forecasts_are_written(desk, tmp_path)


async def totals_are_shown(desk: Desk) -> None:
    found = await answer(desk, "forecast", "total", "berlin", "SKU-2", "--days", 7)
    forecast = await answer(desk, "forecast", "get", "berlin", "SKU-2")
    assert found["mean_units"] == pytest.approx(forecast["horizon_mean_units"], rel=1e-6)
    out = await said(desk, "forecast", "total", "berlin", "sku-2", "--days", 7)
    assert f"{found['mean_units']:,.1f} units expected" in out
    whole = (await answer(desk, "forecast", "totals", "--by", "total"))["aggregates"]
    stores = (await answer(desk, "forecast", "totals"))["aggregates"]
    assert {group["group"] for group in stores} == {"berlin", "paris"}
    summed = sum(group["horizon_mean_units"] for group in stores)
    assert whole[0]["horizon_mean_units"] == pytest.approx(summed)
    assert "berlin" in await said(desk, "forecast", "totals")
    assert "Nothing is known by style" in await said(desk, "forecast", "totals", "--by", "style")
    wrong = await desk.types("forecast", "totals", "--by", "colour", *USER)
    assert wrong.exit_code == 1
    assert "must be one of total, store" in wrong.stderr


async def forecasts_are_written(desk: Desk, folder: Path) -> None:
    parquet, csv = folder / "f.parquet", folder / "f.csv"
    found = await answer(desk, "forecast", "export", "--out", parquet)
    assert (found["series"], found["rows"]) == (2 * SKUS, 2 * SKUS * 7)
    table = pq.read_table(parquet)
    assert table.num_rows == 2 * SKUS * 7
    cutoff = date.fromisoformat(found["forecast_run"]["cutoff_date"])
    assert min(table["date"].to_pylist()) == cutoff + timedelta(days=1)
    forecast = await answer(desk, "forecast", "get", "paris", "SKU-1")
    one = table.filter(
        (table["store"].to_numpy() == "paris") & (table["sku"].to_numpy() == "SKU-1")
    )
    assert one["p90"].to_pylist() == [day["p90_units"] for day in forecast["days"]]
    assert "6 series, 42 rows" in await said(desk, "forecast", "export", "--out", csv)
    again = pa_csv.read_csv(csv)
    np.testing.assert_allclose(again["mean"].to_numpy(), table["mean"].to_numpy())
    assert names(folder) == [csv.name, parquet.name]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_an_export_that_fails_leaves_the_old_file(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "f.csv"
    out.write_text("old")
    failed = await desk.types("forecast", "export", "--out", out, *USER)
    assert failed.exit_code == 1
    assert "NO_RUN" in failed.stderr
    assert (names(tmp_path), out.read_text()) == (["f.csv"], "old")
    for name, rule in (("f.xlsx", "neither Parquet nor CSV"), ("no/f.csv", "no such folder")):
        failed = await desk.types("forecast", "export", "--out", tmp_path / name, *USER)
        assert failed.exit_code == 1
        assert rule in failed.stderr


async def test_a_backtest_shows_its_scores(desk: Desk) -> None:
    await imports(desk)
    cutoffs = [(FIRST_DAY + timedelta(days=day)).isoformat() for day in (60, 70)]
    words = ("--backtest", ",".join(cutoffs), "--horizon", 7)
    out = await said(desk, "job", "create", *words, "--watch")
    assert "backtest of 7 days, light, succeeded." in out
    for cutoff in cutoffs:
        assert any(line.startswith(cutoff) and " all " in line for line in out.splitlines())
    assert "RMSSE" in out
    wrong = await desk.types("job", "create", "--backtest", "yesterday", *USER)
    assert wrong.exit_code == 1
    assert "cutoff_dates" in wrong.stderr


async def test_the_night_can_be_moved_and_left_out(desk: Desk) -> None:
    assert "first import" in await said(desk, "job", "schedule")
    await imports(desk)
    out = await said(desk, "job", "schedule")
    assert "Each night from 01:00 UTC: forecast of 28 days, " in out
    out = await said(desk, "job", "schedule", "--start", "22:30", "--period", "week",
                     "--effort", "light")  # fmt: skip
    assert "Each night from 22:30 UTC: forecast of 8 weeks, light. The next one begins" in out
    assert "Nothing is forecast by itself" in await said(desk, "job", "schedule", "--off")
    found = await answer(desk, "job", "schedule")
    assert (found["enabled"], found["start_time"]) == (False, "22:30")
