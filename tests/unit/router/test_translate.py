"""What follows from a topology, whatever the details of the configuration."""

import dataclasses
from typing import Any

import pytest

from services.chassis import topology
from services.router import nodes, xds_types
from services.router.nodes import Kind
from services.router.snapshot import Snapshot
from services.router.translate import translate
from tests.unit.router.world import REGIONS, facts, key, topology_document


def edge(region: str = "eu-central-1", **how: str) -> Snapshot:
    return translate(facts(region, **how))[nodes.edge(region)]


def routes(snapshot: Snapshot) -> list[dict[str, Any]]:
    [host] = snapshot.of(xds_types.ROUTES)["edge"].plain["virtual_hosts"]
    found: list[dict[str, Any]] = host["routes"]
    return found


def providers(snapshot: Snapshot) -> dict[str, Any]:
    config = snapshot.of(xds_types.EXTENSION)["hemline-jwt"].plain["typed_config"]
    found: dict[str, Any] = config["providers"]
    return found


@pytest.mark.parametrize("region", REGIONS)
def test_there_is_a_snapshot_for_each_proxy_of_the_own_region(region: str) -> None:
    made = translate(facts(region))
    assert sorted(map(str, made)) == [
        f"client/{region}/forecast/1",
        f"client/{region}/inventory/1",
        f"edge/{region}/1",
        *(
            f"sidecar/{region}/{service}/{n}"
            for service in ("forecast", "identity", "inventory")
            for n in (1, 2)
        ),
    ]


def test_priorities_are_home_then_siblings() -> None:
    found = edge("eu-west-1").of(xds_types.ENDPOINTS)["inventory|eu-central-1"].plain["endpoints"]
    order = [(one.get("priority", 0), one["locality"]["region"]) for one in found]
    assert order == [(0, "eu-central-1"), (1, "eu-west-1")]


@pytest.mark.parametrize("region", REGIONS)
def test_an_edge_has_no_address_of_another_jurisdiction(region: str) -> None:
    own = {"eu": ("10.0.0.", "10.0.1."), "us": ("10.0.2.",)}[region[:2]]
    for kind in xds_types.ORDER:
        for found in edge(region).of(kind).values():
            for address in _addresses(found.plain):
                assert address.startswith(own)


def test_homes_abroad_are_redirected_or_forwarded_as_their_jurisdiction_says() -> None:
    redirecting = edge()
    assert "inventory|us-east-1" not in redirecting.of(xds_types.CLUSTER)
    assert "redirect/us-east-1" in {route["name"] for route in routes(redirecting)}
    forwarding = edge(us_edges_abroad="forward")
    assert "inventory|us-east-1" in forwarding.of(xds_types.CLUSTER)
    assert "redirect/us-east-1" not in {route["name"] for route in routes(forwarding)}


def test_only_reads_are_hedged_and_only_idempotent_calls_repeated() -> None:
    by_name = {route["name"]: route["route"] for route in routes(edge()) if "route" in route}
    service = "eu-west-1/hemline.inventory.v1.InventoryService"
    read, write = by_name[f"{service}/GetStockLevel"], by_name[f"{service}/RecordMovement"]
    rest = by_name["eu-west-1/inventory"]
    assert read["hedge_policy"]["hedge_on_per_try_timeout"]
    assert "hedge_policy" not in write
    assert "reset," in write["retry_policy"]["retry_on"] + ","
    assert "reset" not in rest["retry_policy"]["retry_on"].split(",")


def test_an_edge_knows_every_jurisdictions_keys_and_a_sidecar_its_own() -> None:
    for node, snapshot in translate(facts()).items():
        if node.kind is Kind.CLIENT:
            continue
        expected = {"EU", "US"} if node.kind is Kind.EDGE else {"EU"}
        assert providers(snapshot).keys() == expected


def test_a_jurisdiction_without_known_keys_is_left_out() -> None:
    found = facts()
    only_eu = dataclasses.replace(found, keys={"EU": found.keys["EU"]})
    assert providers(translate(only_eu)[nodes.edge("eu-central-1")]).keys() == {"EU"}


def test_reflection_is_routed_only_where_it_is_switched_on() -> None:
    document = topology_document()
    document["edge"]["reflection"] = False
    quiet = dataclasses.replace(facts(), topology=topology.parse(document))
    made = translate(quiet)[nodes.edge("eu-central-1")]
    assert "reflection" not in str(made.plain())
    assert "reflection" in str(edge().plain())


def test_equal_facts_have_equal_versions_and_a_new_key_changes_one_resource() -> None:
    found = facts()
    keys = {"EU": (key(found.topology, "EU", "2"), *found.keys["EU"]), "US": found.keys["US"]}
    before, again = edge(), edge()
    after = translate(dataclasses.replace(found, keys=keys))[nodes.edge("eu-central-1")]
    assert before.version == again.version
    changed = [
        (kind, name)
        for kind in xds_types.ORDER
        for name, one in after.of(kind).items()
        if one.version != before.of(kind)[name].version
    ]
    assert changed == [(xds_types.EXTENSION, "hemline-jwt")]


def test_without_a_collector_nothing_is_traced() -> None:
    found = facts()
    here = dataclasses.replace(found.here, otlp=None)
    silent = dataclasses.replace(found, endpoints={**found.endpoints, "eu-central-1": here})
    made = translate(silent)[nodes.edge("eu-central-1")]
    assert "otlp" not in made.of(xds_types.CLUSTER)
    assert "tracing" not in str(made.of(xds_types.LISTENER)["edge"].plain)


def _addresses(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["address"]] if "port_value" in value else []
        return own + [found for inner in value.values() for found in _addresses(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in _addresses(inner)]
    return []
