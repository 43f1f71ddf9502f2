"""The residency evidence of a real world, as an operator and a retailer get it."""

import json
from pathlib import Path

from tests.support.calls import LIST_LEVELS, call_grpc
from tests.support.world import EDGES, EU_PLANNER, World


def test_every_call_of_a_tenant_was_served_inside_of_its_jurisdiction(world: World) -> None:
    token = {"authorization": f"Bearer {world.token(EU_PLANNER)}"}
    for region in ("eu-central-1", "us-east-1"):
        call_grpc(EDGES[region], LIST_LEVELS, token)
    report = json.loads(world.run("verify", "residency", "--json").stdout)
    assert report["violations"] == 0
    eu, us = (report["jurisdictions"][name] for name in ("EU", "US"))
    served = {one["served_region"] for one in eu["counts"] if one["token_jurisdiction"] == "EU"}
    assert "eu-central-1" in served
    assert served <= {"eu-central-1", "eu-west-1", ""}
    # At the foreign edge the call was seen, and served by nobody.
    abroad = {one["served_region"] for one in us["counts"] if one["token_jurisdiction"] == "EU"}
    assert abroad <= {""}


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
