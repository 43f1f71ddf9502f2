"""The commands of the runbooks do what the pages say, and leave the world as it was."""

import json
import re
from collections.abc import Iterator

import pytest

from deploy.local import faults
from tests.support import tours
from tests.support.world import World

FOLDER = tours.ROOT / "docs" / "runbooks"
PAGES = (
    "drain", "take-back", "traffic-policy", "explain-route", "proxies", "residency",
    "certificates", "fault-drills",
)  # fmt: skip
TRIED_ELSEWHERE = {"promote": "test_promotion.py"}
SAID = {
    "drain": "eu-west-1 is drained by 100 %",
    "take-back": "eu-west-1 is drained by 75 %",
    "traffic-policy": "eu-central-1 90 %, eu-west-1 10 %",
    "explain-route": "UNAVAILABLE: RESIDENCY_NO_HEALTHY_REGION",
    "proxies": "edge/eu-central-1/1",
    "residency": "0 violations",
    "certificates": "eu-west-1: shows new certificates",
    "fault-drills": "● 2. eu-west-1  healthy  ◀ answers",
}


@pytest.fixture(scope="module", autouse=True)
def _left_as_it_was(world: World) -> Iterator[None]:
    yield
    policy = json.loads(world.run("policy", "show", "--json").stdout)
    assert (policy["mode"], policy["drained"]) == ("TRAFFIC_MODE_FAILOVER", {})
    assert faults.read(world.places.faults) == ()
    assert world.status()["healthy"]


@pytest.mark.parametrize("page", PAGES)
def test_a_runbook_does_what_it_says(world: World, page: str) -> None:
    assert SAID[page] in tours.take(world, FOLDER / f"{page}.md")


def test_every_runbook_is_in_the_index_and_tried() -> None:
    there = {path.stem for path in FOLDER.glob("*.md")} - {"README"}
    index = (FOLDER / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| \[[^]]+\]\(([a-z-]+)\.md\)", index, re.MULTILINE)) == there
    assert there == {*PAGES, *TRIED_ELSEWHERE}
