"""A real file goes in whole, twice is once, and a broken copy changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.world import World

FILE = Path(__file__).parents[1] / "data" / "online_retail_extract.csv"
EMAIL = "planner@gift-house.example"
COMMON = ["--user", EMAIL, "--date-format", "%m/%d/%Y %H:%M", "--product-pattern", "^[0-9]{5}"]
OPTIONS = [*COMMON, "--encoding", "latin-1"]


@pytest.fixture(scope="module", autouse=True)
def tenant(world: World) -> None:
    world.run("tenant", "create", "gift-house", "--region", "eu-west-1")
    user = ["gift-house", "--region", "eu-west-1", "--email", EMAIL, "--role", "planner"]
    world.run("tenant", "add-user", *user)


def imported(world: World, file: Path) -> dict[str, int]:
    done = world.run("import", "sales", str(file), *OPTIONS, "--json")
    answer: dict[str, int] = json.loads(done.stdout)["answer"]
    return answer


def broken_header(text: str) -> bytes:
    return text.replace("Quantity", "Colour", 1).encode("latin-1")


def line_changed(place: int, value: str) -> Callable[[str], bytes]:
    def change(text: str) -> bytes:
        lines = text.splitlines()
        fields = lines[10].split(",")
        fields[place] = value
        lines[10] = ",".join(fields)
        return "\n".join(lines).encode("latin-1")

    return change


BROKEN = {
    "header": (broken_header, "units"),
    "date": (line_changed(4, "31/31/2011 9:00"), "row 11"),
    "missing quantity": (line_changed(3, ""), "row 11"),
    "quantity in words": (line_changed(3, "six"), "row 11"),
    "two bytes a letter": (lambda text: text.encode("utf-16"), "encoding"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_copy_is_refused_with_its_row(world: World, kind: str, tmp_path: Path) -> None:
    damage, words = BROKEN[kind]
    file = tmp_path / "broken.csv"
    file.write_bytes(damage(FILE.read_text("latin-1")))
    done = world.run("import", "sales", str(file), *OPTIONS, check=False)
    assert done.returncode != 0
    assert words in done.stdout + done.stderr


def test_a_wrong_encoding_is_refused_with_its_row(world: World) -> None:
    done = world.run("import", "sales", str(FILE), *COMMON, check=False)
    assert done.returncode != 0
    assert "row 204: byte 0xa3 is not utf-8" in done.stdout + done.stderr


def test_the_file_goes_in_once_and_its_best_sellers_are_forecast(world: World) -> None:
    first = imported(world, FILE)
    assert first["new_lines"] > 5000
    again = imported(world, FILE)
    assert (again["new_lines"], again["known_lines"]) == (0, first["new_lines"])
    world.run("forecast", "run", "--user", EMAIL)
    listed = json.loads(world.run("forecast", "list", "--user", EMAIL, "--json").stdout)
    best = [one["horizon_mean_units"] for one in listed["forecasts"]]
    assert best[0] > 0
    assert best == sorted(best, reverse=True)
