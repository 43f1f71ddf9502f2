"""What a region calls in another, it calls through the relay."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.local import environment, files, routes
from deploy.local import world as worlds
from deploy.local.parts import PlanError
from deploy.local.places import Places
from deploy.local.ports import SERVICES, Ports
from deploy.local.wan import Wan
from deploy.local.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return worlds.load(Places(tmp_path), routers=2, latency=True)


def own_ports(world: World, region: str) -> set[int]:
    """What may be called directly from ``region``: its own block, without the relay's ports."""
    base = world.ports[region].base
    return {*range(base, base + 60), world.ports[region].edge}


def relayed(world: World, region: str) -> dict[int, int]:
    """The relay's ports for ``region``, each with what is meant."""
    return {
        routes.split(route.listen)[1]: routes.split(route.to)[1]
        for route in world.wan.routes()
        if route.from_region == region
    }


def called(world: World, region: str, service: str) -> set[int]:
    """Every port that the settings of ``service`` name, but for what all regions share."""
    given = environment.service(world, region, service)
    urls = json.loads(given["HEMLINE_DATABASE_URLS"]) | json.loads(given["HEMLINE_REPLICA_URLS"])
    hosts = [urlsplit(url).netloc.rpartition("@")[2] for url in urls.values()]
    listed = [host for each in hosts for host in each.split(",")]
    listed += json.loads(given["HEMLINE_IDENTITY_ADDRESSES"])
    for addresses in json.loads(given.get("HEMLINE_SIGNING_KEY_ADDRESSES", "{}")).values():
        listed += addresses
    return {routes.split(address)[1] for address in listed}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_calls_other_regions_through_the_relay_alone(world: World, service: str) -> None:
    for region in world.regions:
        found = called(world, region, service)
        assert found <= own_ports(world, region) | relayed(world, region).keys()
        if len(world.siblings(region)) > 1:
            assert found & relayed(world, region).keys()


def test_routers_see_other_regions_through_the_relay_alone(world: World) -> None:
    for region in world.regions:
        for other, body in files.endpoints(world, region)["regions"].items():
            sidecars = {
                routes.split(host["sidecar"])[1]
                for hosts in body["services"].values()
                for host in hosts
            }
            allowed = own_ports(world, region) if other == region else relayed(world, region).keys()
            assert len(sidecars) == 5  # Two routers.
            assert sidecars <= allowed


def test_the_relay_leads_to_the_region_that_it_says(world: World) -> None:
    for route in world.wan.routes():
        assert routes.split(route.to)[1] in own_ports(world, route.to_region)
        assert route.from_region != route.to_region
    assert len(set(world.wan.ports)) == len(world.wan.routes())


def test_databases_of_another_jurisdiction_have_no_way_at_all(world: World) -> None:
    meant = set(relayed(world, "us-east-1").values())
    databases = {
        port
        for region in ("eu-central-1", "eu-west-1")
        for ports in [world.ports[region]]
        for port in (ports.postgres, ports.redis, ports.standby(0), ports.standby(1))
    }
    assert not meant & databases


def test_distance_takes_its_time_only_where_it_is_wanted(world: World, tmp_path: Path) -> None:
    delays = {(route.from_region, route.to_region): route.delay_ms for route in world.wan.routes()}
    assert delays["eu-central-1", "eu-west-1"] == delays["eu-west-1", "eu-central-1"] == 12.5
    assert delays["eu-central-1", "us-east-1"] == 45
    plain = worlds.load(Places(tmp_path))
    assert {route.delay_ms for route in plain.wan.routes()} == {0}


def test_more_ways_than_there_are_ports_are_refused(world: World) -> None:
    many = {region: Ports(30000 + 100 * i, 9000 + i) for i, region in enumerate(world.regions)}
    many |= {f"us-east-{i}": Ports(32000 + 100 * i, 9100 + i) for i in range(2, 9)}
    with pytest.raises(PlanError, match="eu-central-1 calls more"):
        Wan(world.topology, many, latency=False)


def test_a_start_writes_routes_that_hold_nothing_of_an_earlier_fault(world: World) -> None:
    world.places.folder.mkdir(exist_ok=True)
    world.places.faults.write_text("[]")
    routes.note_applied(world.places.routes, b"")
    files.write(world)
    assert not world.places.faults.exists()
    assert not routes.applied(world.places.routes)
    assert routes.read(world.places.routes) == world.wan.routes()
    seen = yaml.safe_load(world.places.endpoints("us-east-1").read_text())
    assert seen == files.endpoints(world, "us-east-1")
