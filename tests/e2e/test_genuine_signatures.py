"""A token that identity's own key has signed still leads nowhere unless every claim is right."""

import time
from typing import Any

import grpc
import jwt
import pytest

from tests.support.calls import CLIENTS, LIST_FORECASTS, LIST_LEVELS
from tests.support.signing import signed
from tests.support.world import EDGES, EU_PLANNER, World

UNAUTHENTICATED = (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
DENIED = (grpc.StatusCode.PERMISSION_DENIED, "TOKEN_UNUSABLE")
NOT_OK = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}


def claims_of(world: World) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(world.token(EU_PLANNER), options={"verify_signature": False})
    return found


def without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}


def test_the_key_is_the_right_one(world: World) -> None:
    token = signed(world, "eu-central-1", "EU", claims_of(world))
    headers = {"authorization": f"Bearer {token}"}
    assert CLIENTS["grpc"](EDGES["eu-west-1"], LIST_LEVELS, headers).code == grpc.StatusCode.OK


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("path", [LIST_LEVELS, LIST_FORECASTS])
def test_an_expired_token_is_unauthenticated(world: World, client: str, path: str) -> None:
    now = int(time.time())
    token = signed(
        world, "eu-central-1", "EU", claims_of(world) | {"iat": now - 120, "exp": now - 60}
    )
    for port in EDGES.values():
        found = CLIENTS[client](port, path, {"authorization": f"Bearer {token}"})
        assert (found.code, found.reason) == UNAUTHENTICATED
        assert found.answer is None


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "change",
    [
        lambda claims: without(claims, "home_region"),
        lambda claims: without(claims, "jurisdiction"),
        lambda claims: claims | {"home_region": "mars-1"},
        lambda claims: claims | {"home_region": ["eu-central-1"]},
        lambda claims: claims | {"home_region": "us-east-1"},
        lambda claims: claims | {"jurisdiction": "US"},
        lambda claims: claims | {"jurisdiction": "US", "home_region": "us-east-1"},
    ],
)
def test_a_claim_that_does_not_fit_leads_nowhere(world: World, client: str, change: Any) -> None:
    token = signed(world, "eu-central-1", "EU", change(claims_of(world)))
    for port in EDGES.values():
        found = CLIENTS[client](port, LIST_LEVELS, {"authorization": f"Bearer {token}"})
        assert (found.code, found.reason) == DENIED
        assert found.answer is None


@pytest.mark.parametrize("client", CLIENTS)
def test_one_jurisdictions_key_cannot_speak_for_another(world: World, client: str) -> None:
    """The US key signs a perfect EU token, issuer and all, and it opens nothing anywhere."""
    token = signed(world, "us-east-1", "US", claims_of(world))
    for port in EDGES.values():
        found = CLIENTS[client](port, LIST_LEVELS, {"authorization": f"Bearer {token}"})
        assert found.code in NOT_OK
        assert found.answer is None


@pytest.mark.parametrize("missing", ["exp", "aud", "iss"])
def test_without_a_claim_that_is_checked_nobody_gets_in(world: World, missing: str) -> None:
    token = signed(world, "eu-central-1", "EU", without(claims_of(world), missing))
    for port in EDGES.values():
        found = CLIENTS["grpc"](port, LIST_LEVELS, {"authorization": f"Bearer {token}"})
        assert found.code in NOT_OK
        assert found.answer is None
