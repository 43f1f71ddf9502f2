"""Node ids and Envoy's bootstrap."""

import json

import pytest

from services.router import nodes
from services.router.bootstrap import bootstrap, main


@pytest.mark.parametrize("node_id", ["edge/eu-west-1/2", "sidecar/eu-west-1/inventory/1"])
def test_node_ids_are_written_as_they_are_read(node_id: str) -> None:
    assert str(nodes.parse(node_id)) == node_id


@pytest.mark.parametrize(
    "node_id", ["", "edge", "edge/eu-west-1/x", "edge//1", "a/b/c", "sidecar/r/1"]
)
def test_other_node_ids_are_refused(node_id: str) -> None:
    with pytest.raises(ValueError, match="want edge/<region>/<n>"):
        nodes.parse(node_id)


def test_every_router_is_an_endpoint() -> None:
    made = bootstrap("edge/eu-west-1/1", ["127.0.0.1:1", "127.0.0.1:2"], "127.0.0.1:3")
    [cluster] = made["static_resources"]["clusters"]
    assert len(cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]) == 2


@pytest.mark.parametrize(
    ("ads", "admin", "message"),
    [
        ([], "127.0.0.1:3", "at least one router"),
        (["router:1"], "127.0.0.1:3", "not an address"),
        (["127.0.0.1:1"], "0.0.0.0:3", "not a loopback address"),
    ],
)
def test_refuses_what_is_unsafe_or_malformed(ads: list[str], admin: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap("edge/eu-west-1/1", ads, admin)


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--node", "edge/eu-west-1/1", "--ads", "127.0.0.1:1", "--admin", "127.0.0.1:3"])
    assert json.loads(capsys.readouterr().out)["node"]["id"] == "edge/eu-west-1/1"
