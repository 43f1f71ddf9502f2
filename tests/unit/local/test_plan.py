"""What a world is made of, before anything runs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local import environment, files, plan, replacements
from deploy.local import world as worlds
from deploy.local.parts import Kind, Part, PlanError, ordered
from deploy.local.places import Places
from deploy.local.ports import SERVICES
from deploy.local.probes import Listens
from deploy.local.replacements import Replacements
from deploy.local.world import World
from services.chassis import topology
from services.chassis.contract import methods
from services.chassis.settings import PREFIX
from services.forecast.settings import ForecastSettings
from services.identity.settings import IdentitySettings
from services.inventory.settings import InventorySettings
from services.router import endpoints
from services.router.settings import RouterSettings

SETTINGS = {
    "identity": IdentitySettings,
    "router": RouterSettings,
    "forecast": ForecastSettings,
    "inventory": InventorySettings,
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = worlds.load(Places(tmp_path / "world"))
    for region in found.regions:
        found.places.region(region).mkdir(parents=True)
    return found


def by_name(parts: list[Part]) -> dict[str, Part]:
    return {part.name: part for part in parts}


def test_no_two_parts_share_a_port_or_a_name(world: World) -> None:
    parts = plan.parts(world)
    used = [port for part in parts for port in part.ports]
    assert len(used) == len(set(used))
    assert len({part.name for part in parts}) == len(parts)


def test_each_part_comes_after_what_it_needs(world: World) -> None:
    seen: set[str] = set()
    for part in plan.parts(world):
        assert set(part.needs) <= seen
        seen.add(part.name)


def test_edges_listen_where_the_topology_says(world: World) -> None:
    assert {region: ports.edge for region, ports in world.ports.items()} == {
        "eu-central-1": 8081,
        "eu-west-1": 8082,
        "us-east-1": 8083,
    }
    assert files.topology(world) == yaml.safe_load(worlds.TOPOLOGY.read_text())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_the_settings_it_knows_and_all_it_needs(world: World, service: str) -> None:
    for region in world.regions:
        given = environment.service(world, region, service)
        values = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in given.items()
            if name.startswith(PREFIX)
        }
        fields = SETTINGS[service].model_fields
        assert values.keys() <= fields.keys()
        assert {name for name, field in fields.items() if field.is_required()} <= values.keys()
        others = set(given) - {PREFIX + name.upper() for name in values}
        assert others <= {"PATH", "HOME", "TMPDIR"}


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "router"])
def test_a_service_has_credentials_of_its_own_jurisdiction_alone(
    world: World, service: str
) -> None:
    given = json.loads(environment.service(world, "us-east-1", service)["HEMLINE_DATABASE_URLS"])
    assert list(given) == ["us-east-1"]
    passwords = {
        url.split("@")[0].rpartition(":")[2]
        for region in world.regions
        for name in ("identity", "forecast", "inventory")
        for url in [world.database_url(region, name, region)]
    }
    assert len(passwords) == 9


def test_jurisdictions_share_no_secret(world: World) -> None:
    eu, sibling, us = (environment.service(world, region, "identity") for region in world.regions)
    for name in ("HEMLINE_LOGIN_PEPPER", "HEMLINE_SIGNING_KEY_SECRET"):
        assert eu[name] == sibling[name] != us[name]


def test_no_secret_stands_in_a_command_line_or_is_printed(world: World) -> None:
    secret = world.postgres("eu-central-1").password
    for part in plan.parts(world):
        assert secret not in " ".join(part.command)
        assert secret not in repr(part)
    assert secret not in repr(world)
    assert world.places.secrets.stat().st_mode & 0o777 == 0o600


def test_the_router_accepts_the_files_of_the_world(world: World) -> None:
    files.write(world)
    found = topology.load(world.places.topology)
    names = {method.service for method in methods()}
    listed = endpoints.load(world.places.endpoints("eu-central-1"), found, names)
    assert str(listed["us-east-1"].services["inventory"][0].app) == "127.0.0.1:21240"
    assert found.regions["us-east-1"].endpoint == "http://127.0.0.1:8083"


def test_a_second_world_has_ports_of_its_own(world: World, tmp_path: Path) -> None:
    second = worlds.load(Places(tmp_path / "second"), base_port=23000, edge_port=18081)
    for region in second.regions:
        second.places.region(region).mkdir(parents=True)
    assert not {port for part in plan.parts(world) for port in part.ports} & {
        port for part in plan.parts(second) for port in part.ports
    }
    assert second.secrets != world.secrets


@pytest.mark.parametrize(
    ("base_port", "edge_port", "problem"),
    [(65000, 8081, "base port"), (21000, 0, "edge port"), (8000, 8081, "lies in the thousand")],
)
def test_ports_that_cannot_be_are_refused(
    tmp_path: Path, base_port: int, edge_port: int, problem: str
) -> None:
    with pytest.raises(PlanError, match=problem):
        worlds.load(Places(tmp_path), base_port, edge_port)


def test_a_replaced_server_is_not_started_and_its_address_is_used(world: World) -> None:
    addresses = {
        "eu-west-1/postgres": "postgresql://admin:hush@db.example:5432/postgres?sslmode=require",
        "eu-west-1/redis": "rediss://cache.example:6380/1",
        "eu-west-1/otlp": "10.0.0.7:4317",
        "provider": "/etc/hemline/providers.yaml",
    }
    replaced = replace(world, replaced=Replacements(addresses))
    parts = by_name(plan.parts(replaced))
    assert not {"eu-west-1/postgres", "eu-west-1/initdb", "eu-west-1/redis", "provider"} & set(
        parts
    )
    assert "seed" not in parts
    forecast = parts["eu-west-1/forecast"].env
    url = json.loads(forecast["HEMLINE_DATABASE_URLS"])["eu-west-1"]
    assert url.startswith("postgresql://forecast_app:")
    assert url.endswith("@db.example:5432/forecast?sslmode=require")
    assert forecast["HEMLINE_REDIS_URL"] == "rediss://cache.example:6380/1"
    assert forecast["HEMLINE_OTLP_ENDPOINT"] == "10.0.0.7:4317"
    assert parts["eu-west-1/identity"].env["HEMLINE_PROVIDERS_FILE"] == addresses["provider"]
    assert "hush" not in str(parts["eu-west-1/databases"].memo)


@pytest.mark.parametrize(
    "document",
    [
        {"replace": {"eu-north-1/redis": "redis://h:1/0"}},
        {"replace": {"eu-west-1/kafka": "kafka://h:1"}},
        {"replace": {"eu-west-1/redis": "http://h:1"}},
        {"replace": {"provider": "relative.yaml"}},
        {"replace": ["eu-west-1/redis"]},
        {"replaces": {}},
    ],
)
def test_a_replacement_that_cannot_be_is_refused(tmp_path: Path, document: Any) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(PlanError, match=str(file)):
        replacements.load(file, {"eu-west-1": "EU"})


@pytest.mark.parametrize(
    ("server", "ours", "theirs"),
    [
        ("postgres", "postgresql://a:hush@db.example/one", "postgresql://b@DB.example:5432/two"),
        ("postgres", "postgresql://a@db.example/one", "postgresql://x.example,db.example/two"),
        ("redis", "redis://cache.example/0", "rediss://:hush@cache.example:6379/1"),
        ("redis", "redis://localhost/0", "redis://127.0.0.1/1"),
        ("otlp", "10.0.0.7:4317", "10.0.0.7:4317"),
    ],
)
def test_one_server_for_two_jurisdictions_is_refused(
    tmp_path: Path, server: str, ours: str, theirs: str
) -> None:
    file = tmp_path / "world.yaml"
    of = {"eu-central-1": "EU", "eu-west-1": "EU", "us-east-1": "US"}

    def load(ours_in: str, theirs_in: str) -> Replacements:
        named = {f"{ours_in}/{server}": ours, f"{theirs_in}/{server}": theirs}
        file.write_text(yaml.safe_dump({"replace": named}))
        return replacements.load(file, of)

    with pytest.raises(PlanError, match="of another jurisdiction") as caught:
        load("eu-central-1", "us-east-1")
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)
    assert len(load("eu-central-1", "eu-west-1").addresses) == 2


@pytest.mark.parametrize(
    "address", ["postgresql://h/db?host=other", "postgresql://h:x/db", "postgresql:///db"]
)
def test_an_address_that_hides_its_server_is_refused(tmp_path: Path, address: str) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump({"replace": {"eu-west-1/postgres": address}}))
    with pytest.raises(PlanError, match="not an address"):
        replacements.load(file, {"eu-west-1": "EU"})


def test_a_circle_or_a_missing_need_is_refused() -> None:
    one, two = Part("one", needs=("two",)), Part("two", needs=("one",))
    with pytest.raises(PlanError, match="wait for each other: one, two"):
        ordered([one, two])
    with pytest.raises(PlanError, match="needs three"):
        ordered([Part("one", needs=("three",))])


def test_kinds_follow_from_what_a_part_has() -> None:
    assert Part("gate", probe=Listens(1)).kind is Kind.GATE
    assert Part("task", ("true",)).kind is Kind.TASK
    assert Part("server", ("true",), probe=Listens(1)).kind is Kind.SERVER


def test_each_region_keeps_a_standby_of_its_siblings_and_of_nobody_else(world: World) -> None:
    standbys = {name for name in by_name(plan.parts(world)) if "/standby-" in name}
    assert standbys == {"eu-west-1/standby-eu-central-1", "eu-central-1/standby-eu-west-1"}
    for region in world.regions:
        given = json.loads(environment.service(world, region, "inventory")["HEMLINE_REPLICA_URLS"])
        assert set(given) == set(world.siblings(region)) - {region}
        assert {copy.at for copy in world.copies(region)} == set(world.siblings(region))


def test_a_primary_is_never_moved_out_of_its_jurisdiction(world: World) -> None:
    world.places.primaries.write_text('{"eu-central-1": "us-east-1"}')
    with pytest.raises(PlanError, match="us-east-1 may not hold the data of eu-central-1"):
        plan.parts(world)
    with pytest.raises(PlanError, match="may not hold"):
        world.superuser_url("eu-central-1")


def test_after_a_promotion_the_region_starts_as_a_standby(world: World) -> None:
    world.places.primaries.write_text('{"eu-central-1": "eu-west-1"}')
    parts = by_name(plan.parts(world))
    for part in ("eu-central-1/postgres", "eu-central-1/databases"):
        assert "eu-west-1/standby-eu-central-1" in parts[part].needs
    assert "eu-central-1/initdb" not in parts
    port = world.ports["eu-west-1"].standby(0)
    assert f":{port}/" in world.superuser_url("eu-central-1")


def test_a_server_of_the_users_own_has_no_standby_here(world: World) -> None:
    addresses = {"eu-west-1/postgres": "postgresql://admin:hush@db.example:5432/postgres"}
    replaced = replace(world, replaced=Replacements(addresses))
    assert "eu-central-1/standby-eu-west-1" not in by_name(plan.parts(replaced))
    given = environment.service(replaced, "eu-central-1", "inventory")["HEMLINE_REPLICA_URLS"]
    assert json.loads(given) == {}
