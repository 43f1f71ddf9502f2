"""Whoever does not hold exactly the right token gets a proper gRPC status, and never data."""

import base64
import json
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.calls import CLIENTS, LIST_FORECASTS, LIST_LEVELS
from tests.support.tokens import Signer
from tests.support.world import EDGES, EU_PLANNER, US_PLANNER, World

UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
DENIED = grpc.StatusCode.PERMISSION_DENIED


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def forged(world: World, **changed: Any) -> str:
    """The planner's own token with other claims, signed by a key of our own under the same id."""
    head, body = parts_of(world.token(EU_PLANNER))
    return Signer(head["kid"]).sign(body | changed)


def bad_tokens(world: World) -> dict[str, str | None]:
    good = world.token(EU_PLANNER)
    head, body = parts_of(good)
    signed, _, signature = good.rpartition(".")
    return {
        "none at all": None,
        "garbage": "x.y.z",
        "signed by another key": forged(world),
        "signed by another key, expired": forged(world, exp=1),
        "signed by another key, of another home": forged(world, home_region="us-east-1"),
        "no algorithm": f"{encoded(head | {'alg': 'none'})}.{encoded(body)}.",
        "claims changed": f"{encoded(head)}.{encoded(body | {'home_epoch': 9})}.{signature}",
        "signature cut": signed + ".",
        "the signature of another": signed + "." + world.token(US_PLANNER).rpartition(".")[2],
        "key of an unknown id": Signer("nobody").sign(body),
        "a type that is not ours": jwt.encode(
            body, ec.generate_private_key(ec.SECP256R1()), "ES256"
        ),
    }


CASES = [
    "none at all",
    "garbage",
    "signed by another key",
    "signed by another key, expired",
    "signed by another key, of another home",
    "no algorithm",
    "claims changed",
    "signature cut",
    "the signature of another",
    "key of an unknown id",
    "a type that is not ours",
]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("edge", EDGES)
def test_a_bad_token_is_unauthenticated_at_every_edge(
    world: World, client: str, case: str, edge: str
) -> None:
    token = bad_tokens(world)[case]
    headers = {"authorization": f"Bearer {token}"} if token else {}
    for path in (LIST_LEVELS, LIST_FORECASTS):
        found = CLIENTS[client](EDGES[edge], path, headers)
        assert (found.code, found.answer) == (UNAUTHENTICATED, None)
        assert found.reason == "TOKEN_INVALID"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("value", ["us-east-1", "eu-west-1", "nowhere"])
def test_headers_that_pretend_are_ignored(world: World, client: str, value: str) -> None:
    pretended = {
        "x-hemline-home-region": value,
        "x-hemline-region": value,
        "x-hemline-jurisdiction": "US",
        "x-hemline-tenant": "11111111-1111-1111-1111-111111111111",
    }
    headers = {"authorization": f"Bearer {world.token(EU_PLANNER)}", **pretended}
    found = CLIENTS[client](EDGES["eu-central-1"], LIST_LEVELS, headers)
    assert found.code == grpc.StatusCode.OK
    assert found.headers["x-hemline-served-by"] == "eu-central-1"
    alone = CLIENTS[client](EDGES["eu-central-1"], LIST_LEVELS, pretended)
    assert (alone.code, alone.answer) == (UNAUTHENTICATED, None)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_unknown_path_leads_nowhere(world: World, client: str) -> None:
    headers = {"authorization": f"Bearer {world.token(EU_PLANNER)}"}
    assert CLIENTS[client](EDGES["eu-central-1"], "/x/y", headers).code == DENIED
    assert CLIENTS[client](EDGES["eu-central-1"], "/x/y", {}).code == UNAUTHENTICATED


@pytest.mark.parametrize("client", CLIENTS)
def test_a_public_path_with_dots_does_not_open_a_guarded_one(world: World, client: str) -> None:
    assert world.folder.exists()
    path = f"/hemline.identity.v1.IdentityService/ListSigningKeys/../..{LIST_FORECASTS}"
    found = CLIENTS[client](EDGES["eu-central-1"], path, {})
    assert (found.code, found.answer) == (UNAUTHENTICATED, None)
