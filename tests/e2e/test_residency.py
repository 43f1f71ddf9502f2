"""The residency evidence of a real world, as an operator and a retailer get it."""

import json
import time
from pathlib import Path
from typing import Any

from tests.support.calls import LIST_LEVELS, call_grpc
from tests.support.world import EDGES, EU_PLANNER, World

PATIENCE_SECONDS = 30.0
"""Proxies send their logs every second; `verify` itself takes about one."""


def test_every_call_of_a_tenant_was_served_inside_of_its_jurisdiction(world: World) -> None:
    token = {"authorization": f"Bearer {world.token(EU_PLANNER)}"}
    for region in ("eu-central-1", "us-east-1"):
        call_grpc(EDGES[region], LIST_LEVELS, token)
    report, served, abroad = reported(world)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "eu-central-1" not in served or not abroad:
        assert time.monotonic() < deadline, report
        report, served, abroad = reported(world)
    assert report["violations"] == 0
    assert served <= {"eu-central-1", "eu-west-1", ""}
    # At the foreign edge the call was seen, and served by nobody.
    assert abroad == {""}


def reported(world: World) -> tuple[Any, set[str], set[str]]:
    """The report, and where the EU's calls were served: those seen in the EU, and in the US."""
    report = json.loads(world.run("verify", "residency", "--json").stdout)
    eu, us = (
        {one["served_region"] for one in found["counts"] if one["token_jurisdiction"] == "EU"}
        for found in (report["jurisdictions"][name] for name in ("EU", "US"))
    )
    return report, eu, us


def test_a_receipt_is_verified_by_the_authority_s_certificate_alone(
    world: World, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt"
    receipt.write_text(world.run("receipt", "--user", EU_PLANNER).stdout)
    bundles = world.folder / "regions" / "eu-central-1" / "certificates" / "bundles"
    words = ("verify", "receipt", str(receipt), "--authority")
    found = json.loads(world.run(*words, str(bundles / "EU.pem")).stdout)
    assert (found["jurisdiction"], found["violations"]) == ("EU", 0)
    assert len(found["proof"]) == 64
    assert {one["served_region"] for one in found["served"]} <= {"eu-central-1", "eu-west-1", ""}
    refused = world.run(*words, str(bundles / "US.pem"), check=False)
    assert refused.returncode == 1
    assert "does not hold" in refused.stderr
