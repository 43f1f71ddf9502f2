"""Node ids and Envoy's bootstrap."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.local.places import TOPOLOGY
from services.chassis.topology import Region
from services.router import nodes
from services.router.bootstrap import bootstrap, main

REGION = Region("eu-west-1", "EU", "https://west.example", ())
COMMAND = (
    *("--ads", "127.0.0.1:1", "--admin", "127.0.0.1:3"),
    *("--certificates", "/certificates", "--topology", str(TOPOLOGY)),
)


@pytest.mark.parametrize("node_id", ["edge/eu-west-1/2", "sidecar/eu-west-1/inventory/1"])
def test_node_ids_are_written_as_they_are_read(node_id: str) -> None:
    assert str(nodes.parse(node_id)) == node_id


@pytest.mark.parametrize(
    "node_id", ["", "edge", "edge/eu-west-1/x", "edge//1", "a/b/c", "sidecar/r/1"]
)
def test_other_node_ids_are_refused(node_id: str) -> None:
    with pytest.raises(ValueError, match="want edge/<region>/<n>"):
        nodes.parse(node_id)


def made(*ads: str, node: str = "edge/eu-west-1/1", admin: str = "127.0.0.1:3") -> Any:
    return bootstrap(node, ads, admin, Path("/certificates"), REGION)


def test_every_router_is_an_endpoint() -> None:
    [cluster] = made("127.0.0.1:1", "127.0.0.1:2")["static_resources"]["clusters"]
    assert len(cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]) == 2


def test_only_a_router_of_the_own_region_is_believed() -> None:
    tls = made("127.0.0.1:1")["static_resources"]["clusters"][0]["transport_socket"]
    context = tls["typed_config"]["common_tls_context"]
    assert context["combined_validation_context"]["default_validation_context"] == {
        "match_typed_subject_alt_names": [
            {"san_type": "URI", "matcher": {"exact": "spiffe://eu.hemline/eu-west-1/router"}}
        ]
    }
    assert context["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ads": []}, "at least one router"),
        ({"ads": ["router:1"]}, "not an address"),
        ({"admin": "0.0.0.0:3"}, "not a loopback address"),
        ({"node": "edge/us-east-1/1"}, "is not of eu-west-1"),
    ],
)
def test_refuses_what_is_unsafe_or_malformed(changed: dict[str, Any], message: str) -> None:
    given = {"ads": ["127.0.0.1:1"], **changed}
    with pytest.raises(ValueError, match=message):
        made(*given.pop("ads"), **given)


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--node", "edge/eu-west-1/1", *COMMAND])
    assert json.loads(capsys.readouterr().out)["node"]["id"] == "edge/eu-west-1/1"


def test_the_command_knows_the_regions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--node", "edge/eu-north-1/1", *COMMAND])
    assert "edge/eu-north-1/1 is in no region of" in capsys.readouterr().err
