import json
from pathlib import Path

from tests.api.cli.conftest import Desk

SEED = ("seed", "--tenant", "atelier-nord", "--weeks", "20", "--json")
USER = ("--user", "planner@atelier-nord.example")


async def test_a_seeded_tenant_has_stock_sales_and_forecasts_and_is_seeded_once(
    desk: Desk,
) -> None:
    done = await desk.types(*SEED)
    assert done.exit_code == 0, done.output
    (seeded,) = json.loads(done.stdout)
    assert not seeded["already"]
    assert seeded["new_sales_lines"] == seeded["sales_lines"] > 10_000
    assert seeded["series"] > 600
    assert 0 < seeded["forecast_series"] <= seeded["series"]

    listed = json.loads(
        (await desk.types("forecast", "list", *USER, "--limit", "250", "--json")).stdout
    )
    expected = [forecast["horizon_mean_units"] for forecast in listed["forecasts"]]
    assert len(expected) == 250
    assert expected == sorted(expected, reverse=True)

    best = listed["forecasts"][0]
    shown = await desk.types("forecast", "get", best["name"].split("/")[1], best["sku"], *USER)
    assert shown.exit_code == 0, shown.output
    assert best["product"] in shown.stdout
    trending = await desk.types("forecast", "trending", *USER)
    assert trending.exit_code == 0, trending.output
    table = await desk.types("forecast", "list", *USER)
    assert best["sku"] in table.stdout
    stock = await desk.types("stock", *USER, "--store", "berlin-mitte")
    assert "Colour" in stock.stdout
    levels = json.loads((await desk.types("stock", *USER, "--json")).stdout)["stock_levels"]
    assert 600 < len(levels) <= seeded["series"]
    assert any(level["on_hand_units"] == "0" for level in levels)

    (again,) = json.loads((await desk.types(*SEED)).stdout)
    assert again["already"]
    assert again["end_date"] <= seeded["end_date"]


async def test_a_tenant_with_sales_of_its_own_is_left_alone(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("sku,date,qty\nSHIRT-M,2026-03-02,3\nSHIRT-M,2026-03-05,2\n")
    assert (await desk.types("import", "sales", path, *USER)).exit_code == 0
    assert (await desk.types("forecast", "run", *USER)).exit_code == 0
    (seeded,) = json.loads((await desk.types(*SEED)).stdout)
    assert seeded["already"]
    assert seeded["end_date"] == "2026-03-05"
