"""What a planner does with a forecast: asks why, tries another plan, looks around, overrules it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.world import EU_PLANNER, World

DAYS = slice(2, 6)  # Of the horizon: four, of which at most one is a Sunday, when shops are shut.


def said(world: World, *words: str) -> Any:
    return json.loads(world.run(*words, "--user", EU_PLANNER, "--json").stdout)


def means(forecast: Any) -> list[float]:
    return [day["mean_units"] for day in forecast["days"]]


@pytest.fixture(scope="module")
def best(world: World) -> Any:
    """The forecast of the series that is to sell best, from the run that seeding made."""
    return said(world, "forecast", "list", "--limit", "1")["forecasts"][0]


@pytest.fixture(scope="module")
def series(best: Any) -> tuple[str, str]:
    """Its store and SKU."""
    return best["name"].split("/")[1], best["sku"]


@pytest.fixture(scope="module")
def span(best: Any) -> list[str]:
    """Some of its days, as options."""
    dates = [day["date"] for day in best["days"][DAYS]]
    return ["--from", dates[0], "--to", dates[-1]]


@pytest.fixture
def override(world: World, series: tuple[str, str], span: list[str]) -> Iterator[str]:
    """Twice what the system expects, until it is taken back."""
    store, sku = series
    subject = ["--store", store, "--sku", sku]
    words = ["override", "create", *subject, *span, "--factor", "2", "--reason", "Window display"]
    name = said(world, *words)["name"]
    try:
        yield name
    finally:
        said(world, "override", "delete", name)


def test_another_plan_is_compared_with_the_one_that_is_served(
    world: World, best: Any, series: tuple[str, str], span: list[str]
) -> None:
    plan = ["--promotion", "promotion", "--discount", "0.5"]
    found = said(world, "forecast", "what-if", *series, *span, *plan)
    assert means(found["planned"]) == pytest.approx(means(best))
    difference = sum(means(found["simulated"])) - sum(means(found["planned"]))
    assert abs(difference) > 0.01
    assert found["difference_units"] == pytest.approx(difference)


def test_an_override_is_served_beside_the_systems_number_until_it_is_taken_back(
    world: World, best: Any, series: tuple[str, str], override: str
) -> None:
    served = said(world, "forecast", "get", *series)
    system = [day["system_mean_units"] for day in served["days"]]
    assert system == pytest.approx([day["system_mean_units"] for day in best["days"]])
    assert means(served)[DAYS] == pytest.approx([2 * units for units in system[DAYS]])
    assert means(served)[DAYS.stop :] == pytest.approx(means(best)[DAYS.stop :])
    assert override in served["overrides"]

    why = said(world, "forecast", "explain", *series)
    for day, period in zip(served["days"], why["periods"], strict=True):
        parts = [part["units"] for part in period["components"]]
        assert period["mean_units"] == day["mean_units"]
        assert sum(parts) == pytest.approx(day["mean_units"], rel=1e-6, abs=1e-9)
    total = {part["part"]: part["units"] for part in why["total"]}
    assert total["FORECAST_PART_OVERRIDE"] == pytest.approx(sum(means(served)) - sum(system))
    assert sum(total.values()) == pytest.approx(sum(means(served)))

    said(world, "override", "delete", override)
    assert means(said(world, "forecast", "get", *series)) == pytest.approx(means(best))


@pytest.mark.parametrize(
    ("command", "answer", "low", "middle"),
    [
        ("trends", "trends", "growth_ratio_p10", "growth_ratio"),
        ("popular", "products", "rate_p10", "rate"),
    ],
)
def test_categories_are_ranked_by_what_they_surely_exceed(
    world: World, command: str, answer: str, low: str, middle: str
) -> None:
    found = said(world, "forecast", command, "--by", "category")[answer]
    assert {"knitwear", "dresses"} <= {one["group"] for one in found}
    assert [one["rank"] for one in found] == list(range(1, len(found) + 1))
    floors = [one[low] for one in found]
    assert floors == sorted(floors, reverse=True)
    assert all(one[low] <= one[middle] for one in found)
