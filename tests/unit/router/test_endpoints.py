"""The endpoints file: what is refused, and in which words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.chassis import topology
from services.router import addresses, endpoints
from services.router.endpoints import EndpointsError
from tests.unit.router.world import SERVICES, endpoints_document, topology_document

TOPOLOGY = topology.parse(topology_document())
LISTEN = "regions.eu-west-1.edge.listen"
HOSTS = "regions.eu-west-1.services.inventory"


def region(document: Any, name: str = "eu-west-1") -> Any:
    return document["regions"][name]


def put(path: str, value: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            document = document[parent]
        document[last] = value

    return change


CASES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "region missing": (
        lambda d: d["regions"].pop("us-east-1"),
        "regions: region us-east-1 is missing",
    ),
    "unknown region": (
        put("regions.mars-1", {}),
        "regions: unknown region mars-1; known: eu-central-1, eu-west-1, us-east-1",
    ),
    "service missing": (
        lambda d: region(d)["services"].pop("inventory"),
        "regions.eu-west-1.services: service inventory is missing",
    ),
    "unknown service": (
        lambda d: region(d)["services"].update(payroll={}),
        "regions.eu-west-1.services: unknown service payroll; known: forecast, identity, inventory",
    ),
    "no host": (put(HOSTS, []), f"{HOSTS}: want a list of hosts, and not an empty one"),
    "no sidecar": (put(HOSTS, [{"app": "127.0.0.1:1"}]), f"{HOSTS}[0].sidecar: missing"),
    "no port": (
        put(HOSTS, [{"sidecar": "10.0.0.1", "app": "127.0.0.1:1"}]),
        f"{HOSTS}[0].sidecar: '10.0.0.1' is not an address; want IP:port, such as 127.0.0.1:8081",
    ),
    "a service elsewhere": (
        put(HOSTS, [{"sidecar": "10.0.0.1:1", "app": "10.0.2.1:1"}]),
        f"{HOSTS}[0].app: 10.0.2.1:1 is not on loopback, as the sidecar's own task is",
    ),
    "a name instead of an IP": (
        put(LISTEN, "localhost:80"),
        f"{LISTEN}: 'localhost:80' is not an address; want IP:port, such as 127.0.0.1:8081",
    ),
    "no edge": (lambda d: region(d).pop("edge"), "regions.eu-west-1.edge: missing"),
    "unknown field": (
        lambda d: region(d).update(edges={}),
        "regions.eu-west-1.edges: unknown; known: edge, otlp, services",
    ),
    "nothing": (lambda d: d.clear(), "endpoints: want a mapping, and not an empty one"),
}


@pytest.mark.parametrize("name", CASES)
def test_refuses_in_one_line(name: str) -> None:
    change, message = CASES[name]
    document = endpoints_document()
    change(document)
    with pytest.raises(EndpointsError) as refused:
        endpoints.parse(document, TOPOLOGY, set(SERVICES))
    assert str(refused.value) == message


def test_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.yaml"
    with pytest.raises(EndpointsError, match="No such file"):
        endpoints.load(file, TOPOLOGY, set(SERVICES))
    file.write_text("regions: [")
    with pytest.raises(EndpointsError, match=f"{file}: not YAML"):
        endpoints.load(file, TOPOLOGY, set(SERVICES))


def test_spans_need_no_collector() -> None:
    document = endpoints_document()
    del region(document)["otlp"]
    assert endpoints.parse(document, TOPOLOGY, set(SERVICES))["eu-west-1"].otlp is None


@pytest.mark.parametrize("text", ["127.0.0.1:8081", "[::1]:443"])
def test_addresses_are_written_as_they_are_read(text: str) -> None:
    assert str(addresses.parse(text)) == text


@pytest.mark.parametrize("text", ["", ":80", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:x", None, 80])
def test_other_text_is_no_address(text: object) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        addresses.parse(text)
