"""The topology refuses, in one line, whatever could let data leave its jurisdiction."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.chassis import topology
from services.chassis.traffic import Mode, Traffic

GOOD = yaml.safe_load(
    """
jurisdictions:
  EU: {regions: [eu-central-1, eu-west-1], foreign_edges: redirect}
  US: {regions: [us-east-1], foreign_edges: forward}
regions:
  eu-central-1: {endpoint: "http://a", failover: [eu-west-1]}
  eu-west-1: {endpoint: "http://b", failover: [eu-central-1]}
  us-east-1: {endpoint: "http://c", failover: []}
edge: {cors_origins: ["http://web"], reflection: true}
"""
)


def changed(path: str, value: Any) -> Any:
    document = copy.deepcopy(GOOD)
    *parents, last = path.split("/")
    place = document
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


def weighted(weights: Any) -> Any:
    return {"mode": "weighted", "weights": weights}


def test_reads_what_is_right() -> None:
    found = topology.parse(GOOD)
    assert found.jurisdiction_of("eu-west-1").name == "EU"
    assert found.jurisdictions["US"].issuer == "https://identity.us.hemline.example"
    assert found.jurisdictions["US"].foreign_edges is topology.ForeignEdges.FORWARD


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("jurisdictions/US/regions", ["us-east-1", "eu-west-1"], "eu-west-1 is already in EU"),
        ("jurisdictions/US/regions", ["us-east-2"], "regions.us-east-1: in no jurisdiction"),
        ("jurisdictions/EU/regions", ["eu-central-1", "eu-west-1", "eu-south-1"], "unknown region"),
        ("jurisdictions/EU/regions", [], "at least one region"),
        ("jurisdictions/EU/foreign_edges", "mirror", "want one of redirect, forward"),
        ("jurisdictions/EU/foreign_edges", None, "jurisdictions.EU.foreign_edges: missing"),
        ("jurisdictions/EU/traffic", {}, "traffic.mode: want one of failover, latency"),
        ("jurisdictions/EU/traffic", ["latency"], "EU.traffic: want mode, and weights"),
        ("jurisdictions/EU/traffic", {"mode": "failover", "speed": 1}, "EU.traffic: want mode"),
        ("jurisdictions/EU/traffic", {"mode": "random"}, "traffic.mode: want one of"),
        ("jurisdictions/EU/traffic", {"mode": "latency"}, "tells none between eu-central-1"),
        ("jurisdictions/EU/traffic", {"mode": "geolocation"}, "eu-central-1 has no location"),
        ("jurisdictions/EU/traffic", weighted({"eu-west-1": 99}), "add up to 99, not to 100"),
        ("jurisdictions/EU/traffic", weighted({"us-east-1": 100}), "not a region of the jurisdi"),
        ("jurisdictions/EU/traffic", weighted({"eu-west-1": 100.0}), "whole percent"),
        ("jurisdictions/EU/traffic", weighted({"eu-west-1": True}), "whole percent"),
        ("jurisdictions/EU/traffic", weighted([]), "whole percent"),
        (
            "jurisdictions/EU/traffic",
            weighted({"eu-west-1": 110, "eu-central-1": -10}),
            "a percent, 0 to 100",
        ),
        (
            "jurisdictions/EU/traffic",
            {"mode": "failover", "weights": {"eu-west-1": 100}},
            "weights: only for weighted",
        ),
        ("regions/eu-west-1/failover", ["us-east-1"], "us-east-1 is not another region of EU"),
        ("regions/eu-west-1/failover", ["eu-west-1"], "not another region"),
        ("regions/eu-west-1/failover", ["eu-central-1", "eu-central-1"], "stands twice"),
        ("regions/eu-west-1/endpoint", "127.0.0.1:1", "want the URL"),
        ("regions/eu-west-1/colour", "blue", "regions.eu-west-1.colour: unknown"),
        ("regions/berlin", {"endpoint": "http://d", "failover": []}, "named as AWS names it"),
        ("jurisdictions/Europe", {}, "2-8 capital letters"),
        ("edge/reflection", "yes", "want true or false"),
        ("edge", None, "topology.edge: missing"),
        ("regions", {}, "not an empty one"),
    ],
)
def test_refuses_with_place_and_reason(path: str, value: Any, problem: str) -> None:
    with pytest.raises(topology.TopologyError, match=problem) as refusal:
        topology.parse(changed(path, value))
    assert "\n" not in str(refusal.value)


def test_a_jurisdiction_may_say_how_its_traffic_is_steered() -> None:
    assert topology.parse(GOOD).jurisdictions["EU"].traffic == Traffic(Mode.FAILOVER)
    weights = {"eu-central-1": 80, "eu-west-1": 20}
    found = topology.parse(changed("jurisdictions/EU/traffic", weighted(weights)))
    assert found.jurisdictions["EU"].traffic == Traffic(Mode.WEIGHTED, weights)


def test_the_deployed_file_is_right() -> None:
    deployed = Path(__file__).parents[3] / "deploy" / "topology.yaml"
    assert set(topology.load(deployed).jurisdictions) == {"EU", "US"}


def test_a_file_that_is_not_there_or_not_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(topology.TopologyError, match="No such file"):
        topology.load(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    with pytest.raises(topology.TopologyError, match="not YAML"):
        topology.load(broken)
