"""`hemline certificates rotate` in the running world: new certificates, and everybody is served."""

import ssl

import grpc
import pytest

from tests.support.calls import LIST_LEVELS, call_grpc
from tests.support.world import BASE_PORT, EDGES, EU_PLANNER, World

SIDECAR_PORT = BASE_PORT + 41
"""Of inventory in eu-central-1."""


def serves(world: World) -> bool:
    metadata = {"authorization": f"Bearer {world.token(EU_PLANNER)}"}
    found = call_grpc(EDGES["eu-central-1"], LIST_LEVELS, metadata)
    return bool(found.code == grpc.StatusCode.OK)


def shown() -> str:
    """The certificate at a sidecar's door, which it shows before it asks for one."""
    return ssl.get_server_certificate(("127.0.0.1", SIDECAR_PORT), timeout=20)


@pytest.mark.parametrize("options", [[], ["--authority"]])
def test_certificates_are_replaced_while_everybody_is_served(
    world: World, options: list[str]
) -> None:
    before = shown()
    said = world.run("certificates", "rotate", "--region", "eu-central-1", *options).stdout
    assert ("trusts the new one alone" in said) == bool(options)
    assert shown() != before
    assert serves(world)


def test_an_unknown_region_is_refused(world: World) -> None:
    refused = world.run("certificates", "rotate", "--region", "eu-north-1", check=False)
    assert refused.returncode == 1
    assert "no region eu-north-1; known: eu-central-1" in refused.stderr
